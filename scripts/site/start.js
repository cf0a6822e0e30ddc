// start.js: the page begins.

const say = (words) => { document.getElementById("message").textContent = words; };

// Shows the part that the address names: the walk for `#walk` and for the number of a stop.
function showPart() {
  const part = ["", "#train"].includes(location.hash) ? "train" : "walk";
  for (const name of ["train", "walk"]) {
    document.getElementById(name).hidden = name !== part;
    const tab = document.getElementById("tab-" + name);
    if (name === part) tab.setAttribute("aria-current", "page");
    else tab.removeAttribute("aria-current");
  }
}

function startWalk(module) {
  const swift = openProgram(module);
  walkPage(JSON.parse(swift.text("walkBegin", 1)), swift);
}

async function startPage() {
  if (!hasVectors() || typeof DecompressionStream === "undefined") {
    say("This browser lacks WebAssembly's vectors (SIMD), which the program needs. Chrome and Edge have them since version 91, "
      + "Firefox since 89, Safari since 16.4.");
    return;
  }
  try {
    const module = await compiledProgram();
    say("");
    showPart();
    addEventListener("hashchange", showPart);
    const hash = location.hash;
    startWalk(module);  // which puts the number of its stop there
    history.replaceState(null, "", hash || "#train");
    await startTraining(module);
    document.documentElement.dataset.ready = "yes";
  } catch (error) {
    say(`The page cannot start: ${error.message ?? error}`);
    throw error;
  }
}

startPage();
