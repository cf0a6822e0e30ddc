"""Shows a Tensor in LLDB as one line: its shape, its first elements, their mean, smallest and largest.

(lldb) command script import .lldb/tensor.py

docs/debugging.md shows it at work.
"""

import array

import lldb

LIMIT = 1 << 22  # elements; of a larger tensor only the first are read


def member(value, *names):
    for name in names:
        value = value.GetNonSyntheticValue().GetChildMemberWithName(name)
    return value


def sizes_of(shape):
    """The numbers of a Shape; None where there are none yet."""
    sizes = member(shape, "sizes").GetSyntheticValue()
    count = sizes.GetNumChildren()
    if count > 8:
        return None
    return [sizes.GetChildAtIndex(i).GetSyntheticValue().GetValueAsSigned() for i in range(count)]


def number(value):
    """A Swift Int or pointer, whose bits LLDB keeps one level down."""
    value = value.GetNonSyntheticValue()
    while value.GetNumChildren():
        value = value.GetChildAtIndex(0).GetNonSyntheticValue()
    return value.GetValueAsUnsigned()


def shape_summary(shape, _):
    return str(sizes_of(shape))


def tensor_summary(tensor, _):
    sizes = sizes_of(member(tensor, "shape"))
    if sizes is None:
        return "(no value yet)"
    count = 1
    for size in sizes:
        count *= size
    storage = member(tensor, "storage")
    # A variable whose line has not run holds what was in memory before it: the two counts do not agree.
    if number(member(storage, "count")) != count:
        return "(no value yet)"
    code = "d" if "Double" in tensor.GetType().GetName() else "f"
    elements = array.array(code)
    error = lldb.SBError()
    address = number(member(storage, "base"))
    wanted = count if count <= LIMIT else 4
    data = tensor.GetProcess().ReadMemory(address, wanted * elements.itemsize, error)
    if not error.Success():
        return f"{sizes}"
    elements.frombytes(data)
    text = f"{sizes} " + ", ".join(f"{x:.4g}" for x in elements[:4]) + (", …" if count > 4 else "")
    if wanted < count or count == 0:
        return text
    return text + f"  mean {sum(elements) / count:.4g}, min {min(elements):.4g}, max {max(elements):.4g}"


def __lldb_init_module(debugger, _):
    def add(function, type):
        debugger.HandleCommand(f"type summary add -w residual-learning -F {__name__}.{function} -x '{type}'")

    add("tensor_summary", "^ResidualLearning\\.Tensor<.+>$")
    add("shape_summary", "^ResidualLearning\\.Shape$")
    debugger.HandleCommand("type category enable residual-learning")
