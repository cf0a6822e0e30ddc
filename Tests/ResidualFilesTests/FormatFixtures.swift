import Foundation

/// Small files made by other programs. `Tests/Fixtures/make_format_fixtures.py` writes this file.
enum FormatFixtures {
  static func data(_ base64: String) -> Data {
    Data(base64Encoded: base64, options: .ignoreUnknownCharacters)!
  }

  static let safeTensors = data(
    """
    gAIAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJub3RlIjoiYSBcImJcIlxuIn0sInN0ZXBzIjp7ImR0eXBlIjoiSTY0Iiwic2hhcGUiOltdLCJk
    YXRhX29mZnNldHMiOlswLDhdfSwiZG91YmxlIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsxLDJdLCJkYXRhX29mZnNldHMiOls4LDI0XX0s
    ImVtcHR5Ijp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlswLDNdLCJkYXRhX29mZnNldHMiOlsyNCwyNF19LCJmbG9hdCI6eyJkdHlwZSI6IkYz
    MiIsInNoYXBlIjpbMSwyLDFdLCJkYXRhX29mZnNldHMiOlsyNCwzMl19LCLDvCBcInFcIlxcIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsx
    XSwiZGF0YV9vZmZzZXRzIjpbMzIsMzZdfSwiaW50MzIiOnsiZHR5cGUiOiJJMzIiLCJzaGFwZSI6WzFdLCJkYXRhX29mZnNldHMiOlszNiw0
    MF19LCJiZmxvYXQiOnsiZHR5cGUiOiJCRjE2Iiwic2hhcGUiOlsyXSwiZGF0YV9vZmZzZXRzIjpbNDAsNDRdfSwiaGFsZiI6eyJkdHlwZSI6
    IkYxNiIsInNoYXBlIjpbNV0sImRhdGFfb2Zmc2V0cyI6WzQ0LDU0XX0sImJ5dGVzIjp7ImR0eXBlIjoiVTgiLCJzaGFwZSI6WzJdLCJkYXRh
    X29mZnNldHMiOls1NCw1Nl19LCJ0cnV0aCI6eyJkdHlwZSI6IkJPT0wiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOls1Niw1OF19fSAg
    +/////////+amZmZmZm5PwAAAAAAAATAAAAAPwAAAMEAAIA/kO7+/8A/Yv8APgC0/3sBAAB8AP8BAA==
    """)

  static let npy: [String: Data] = [
    "float32": data(
      """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDMpLCB9ICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAA/AACAvwAAAEAAAEBAAACAQAAAoEA=
      """),
    "float64": data(
      """
      k05VTVBZAgB0AAAAeydkZXNjcic6ICc8ZjgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMiwpLCB9ICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAqamZmZmZm5P5qZmZmZmck/
      """),
    "int64": data(
      """
      k05VTVBZAwB0AAAAeydkZXNjcic6ICc8aTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoKSwgfSAgICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAr5/////////w==
      """),
    "uint8": data(
      """
      k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDEpLCB9ICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoB/w==
      """),
    "fortran": data(
      """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPGY4JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAADwPwAAAAAAAPA/AAAAAAAA8D8AAAAAAADwPwAA
      AAAAAPA/AAAAAAAA8D8=
      """),
    "bigEndian": data(
      """
      k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAg
      ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/gAAAP4AAAA==
      """),
  ]

  /// The bytes `i * i % 251 * (i % 3) % 97` for `i` from 0 to 2999, compressed by zlib.
  static let zlib = data(
    """
    eNrt0gdOKgEARdE79DZ0hipD79KlKh0BQZAuUnT/q/i6jJ+wgZebl4Ogw1qmJKMsMlWhXiBqSdbwNZFXmFPUa9iO3NpchhjNPN7gB7GGqoj4
    wkeQgJ1IhpaE0oW7gSqIMoXzQH1C5YI3ik1mmOfbxk5LpczCgmRl+0T/gX6a7QlpwUJBJccuw/eCYQibB++YSox6EucS5e/sK243ShOtOBGB
    wJoPJ+Ic1QHRAXsevzBGuJi5BbFtqM8wK5EH+CokT4gl1B2mN5R9SlOsdgRQ2fFO6fXx3FB0SJSonvBXeB/wqcQ5w7/hEmRpZhNB+0VhT9GB
    /4BnzsqJZY1ewBXHaKLtJvCKpfFXm02yi5EfM/DQC+Fe0MxQzeFV0FigOzFP031g/MTVSsKCUEbS4rKRyGOVMUXZXrBPGB1IpggEiTZ4dqGR
    GGYo2TkFMbxwKJKt0frhfOPRjG2Ito3lSLrGPkV5RbjJW42rltkCWUWhyFomVkavAwX6EDGBtYZCAdnAzMd1yVuVcIdygL1IOoLljPaITfr7
    9gwtH1kdBx+GLqcGpRFDBxoNz3miOgKav9qRiF3NtowpgjVO4oprgqRGqJPIcR0zDtMNMx+jy9Go41VTndC84o7TizAok1ezE8n+EtJg+Z3N
    09ZgdOAaoW9g6bLy4dHh91GEwhdaic2R5ZlLBL+IM8Bnh/cq/iVVHwkDigIeDT0BbwiVgjv4O/g7+Dv4O/g7+Dv4O/j/E/w/holP8g==
    """)

  /// Files of 5x4 pixels and their RGB pixels over white.
  static let png: [(name: String, file: Data, pixels: Data)] = [
    (
      "colour type 0, 1 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEAQAAAABuSMjtAAAAB0lEQVR4nGMsYPnA3s7dLwAAAAlJREFUMIHpAgAKbALIQplMKgAAAABJRU5E
        rkJggg==
        """),
      data(
        """
        AAAA////////////AAAAAAAA////////AAAAAAAA////AAAAAAAA////AAAAAAAA////////AAAAAAAA
        """)
    ),
    (
      "colour type 0, 2 bits, interlaced 1, tRNS 1",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEAgAAAAFe74KrAAAAAnRSTlMAA++anIIAAAAHSURBVHicYzjADIIp1HXDAAAAEUlEQVQmzA8YHRhi
        HJhdngMAMpYFbPw2NbkAAAAASUVORK5CYII=
        """),
      data(
        """
        ////////////qqqq////VVVVVVVV////AAAAVVVVAAAAVVVV////AAAAVVVVVVVV////AAAAqqqqVVVV
        """)
    ),
    (
      "colour type 0, 4 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEBAAAAACmqEedAAAAB0lEQVR4nGPgYSlgtHmAUQAAABFJREFUzj5ozfx4rwuLwS0BACN5BPDBDE7z
        AAAAAElFTkSuQmCC
        """),
      data(
        """
        AAAAzMzMAAAAREREd3d3d3d3ERER////u7u7////ERERu7u7REREiIiI7u7uREREu7u7IiIiVVVV////
        """)
    ),
    (
      "colour type 0, 8 bits, interlaced 1, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAAAAAEUX5oKAAAAB0lEQVR4nGPIZs5hsohEuAAAAB5JREFU8mI8usKLpWUmwysupvklx2LmMLTf
        L43jBwCBtAoP13mfWAAAAABJRU5ErkJggg==
        """),
      data(
        """
        a2trhISESkpKHR0dbGxsn5+fdHR0xsbGXFxcnJycxcXF6urqbW1tCgoKt7e3h4eH39/fdXV1Xl5eDw8P
        """)
    ),
    (
      "colour type 0, 16 bits, interlaced 0, tRNS 1",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEEAAAAAAzyHbfAAAAAnRSTlN1CV0H+C8AAAAHSURBVHicASwA0/+s5tM3AAAAMElEQVQAdQmkLsUj
        2kY3AACXys3vQpVYOtcCBP0YtX9qCNaPJFUAwMYN2yXei4nR05KJE7VOs+QIAAAAAElFTkSuQmCC
        """),
      data(
        """
        ////pKSkxMTE2dnZNzc3l5eXzc3NQkJCWFhY1tbWlJSUgoKCrKysgoKC+vr6wMDADg4OJiYmi4uL0dHR
        """)
    ),
    (
      "colour type 2, 8 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAIAAADJUWIXAAAAB0lEQVR4nAFAAL//FF6/JwAAAERJREFUAxGuwsGI0CpeQ+kU5yCdoAHc1+Bz
        ob73c2OQuj/ixJUDkd0IkFEYmgCoHyyJM9TbAOXMbJOW5AZ9rHPr89N24iRlIeBbS7T2AAAAAElFTkSuQmCC
        """),
      data(
        """
        Ea7Cyd8xjs1bMHoUONqq3NfgT3ieRusB1qVAuGnV/0h4N7Gj2M769uUmCntY5cxsk5bkBn2sc+vz03bi
        """)
    ),
    (
      "colour type 2, 8 bits, interlaced 1, tRNS 1",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAIAAAG+VlKBAAAABnRSTlMAEgCpAETTniAVAAAAB0lEQVR4nAFEALv//1DtdAAAAEhJREFUBBKp
        RAHF03UD4zbfA41rnH4suMY+3wQ+rcSWo0wBG12iniQFAiolYMFRCLC+LY9lgAGiQwHeUKE3f6NCKEeIOzcg4Xy2ahsUqz8iUgAAAABJRU5E
        rkJggg==
        """),
      data(
        """
        ////Pq3E4zbf1FAQxdN1KiVgwVEIsL4tj2WAAaJDjWucG12ixGEGuYGnKG7i3lChFc9EV/eL3zLC/xM+
        """)
    ),
    (
      "colour type 2, 16 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEEAIAAACZwb5UAAAAB0lEQVR4nAF8AIP/3VCBwQAAAIBJREFUASWRQcJPou0rpBLyXdkW3ojrKcfX
        A6j0yG+Lmk3xpwNZeVp1g+tUtsXiw8jYg9n6pK8OdRy3F2n06bx1IVECJ6PkS3s4iqOXhvyi0jTUJFdYno/97L7IjsxLiLGCAPjA4a3GUChV
        yoezUMJftnmY1Fds6u37CbCLW6+AF28RRHcYT8JQAAAAAElFTkSuQmCC
        """),
      data(
        """
        JUJPE+VC68MsssUhIWASa3qqknQ4lnTWsrmSXUhykl4lHAs0aEgtULZQ6pMj+OHGKMqzwraYV+r6sFuA
        """)
    ),
    (
      "colour type 3, 1 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEAQMAAAB8/WcDAAAABlBMVEUW931mukug18X9AAAAB0lEQVR4nGPuYJnAZ3eQBQAAAAlJREFUkMH4
        AQAI6gJ5O0rFXAAAAABJRU5ErkJggg==
        """),
      data(
        """
        ZrpLFvd9Fvd9Fvd9ZrpLFvd9Fvd9Fvd9ZrpLZrpLFvd9ZrpLZrpLFvd9ZrpLZrpLZrpLZrpLZrpLFvd9
        """)
    ),
    (
      "colour type 3, 4 bits, interlaced 1, tRNS 1",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEBAMAAAHDGtjlAAAAMFBMVEXOsZmFiE8kZbLw9jMH/KvC0FzdpKRhV2G2gAUEMX6Z+MdJg7/icbc1
        dedhBMlNcP/4bJQoAAAAEHRSTlNjQzvZNps8zrehbFzzwmQGTWU1mwAAAAdJREFUeJxjWsDwgZn7tUAAAAAXSURBVOkAy8f5zBdZchh3Nysx
        bdnkAABY+gg2/v0khwAAAABJRU5ErkJggg==
        """),
      data(
        """
        1PznZZbt43i63+DR+/z/vdLovdLo8vdRwZ3q9+rq+/z/8vdR3+DRZZbtYX2u9+rq+/z/+/z/7OHX1Pzn
        """)
    ),
    (
      "colour type 3, 8 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAMAAABx7QVyAAAAMFBMVEUvuxaaQElYyMpAiRPj9lyKicYRh9ecjgjsL1msdpKWKAPzzyergrwk
        s7f/Rm4iAwtMr92sAAAAB0lEQVR4nGNiYmdnAfG3kAAAABlJREFU5WdhZf3G/IX5P+NfZjYWrj/sv5kBOZsGOuepUUUAAAAASUVORK5CYII=
        """),
      data(
        """
        WMjKnI4InI4IionGIgMLnI4Iq4K8WMjKionGQIkTWMjK7C9ZWMjKEYfXligDq4K87C9ZrHaS4/ZcJLO3
        """)
    ),
    (
      "colour type 4, 8 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAQAAADsOj3LAAAAB0lEQVR4nAEsANP/rObTNwAAADBJREFUA3IshRtBcQQv1bwE1MjF1yHgUk9i
        +wDhBRkepVwnF+qZA5hAmBMd+izpCmSPbhHy/w6ingAAAABJRU5ErkJggg==
        """),
      data(
        """
        5+fn8/PzzMzMsrKy////Tk5OYGBgj4+PtLS0ampq/v7+5OTk39/f7Ozs8vLyv7+/6Ojo7u7u9vb229vb
        """)
    ),
    (
      "colour type 4, 16 bits, interlaced 1, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEEAQAAAHLrdEeAAAAB0lEQVR4nAFYAKf/A+hYDgAAAFxJREFUAYoTppIDuLyvaQN00Qi3AWH+aiaH
        XHhKv5AjDgIQSZtEB1Ft8QT9ENtSHGrkHwIs0SgGQAFiuiMyBRNc4RT0MrM3aQCS5dODyY0P1UYuF86AlvaTzHXA3PODJNYcsktIAAAAAElF
        TkSuQmCC
        """),
      data(
        """
        s7Ozbm5u+vr6lJSUzs7O3t7etra2+/v78vLy09PTvr6+j4+P6urqubm5/f39paWl/Pz87u7uhISE2dnZ
        """)
    ),
    (
      "colour type 6, 8 bits, interlaced 1, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAECAYAAAExNMXWAAAAB0lEQVR4nAFYAKf/A+hYDgAAAFxJREFUA8BW+iEEBZ/+HQB433drAYOx3im7
        RYp8wMsDawQiY3ZWgbJulwO21TrlP+Vq2wImHOt39RevoYmdIAiezubJduoIqwOSHHMLpWyyG1HrCCEV7dhdobe2Bd28KEm/rIYDAAAAAElF
        TkSuQmCC
        """),
      data(
        """
        9+n+tMrRxvLGqSbm4/T/mpX2+W3M+/z4s9jro/FZ6/L6++/2gvmd+/qu//v25sX5sL+36sm3zZZ6YIv3
        """)
    ),
    (
      "colour type 6, 16 bits, interlaced 0, tRNS 0",
      data(
        """
        iVBORw0KGgoAAAANSUhEUgAAAAUAAAAEEAYAAAAWoykDAAAAB0lEQVR4nAGkAFv/d1FfoAAAAKhJREFUAJM8Dk2OtGK19+mPfJMSns1of0AB
        gvlmN9R98m53XKYbMdKVwCdYELcD61wGNZbNBcRUPtXd87CRYnShz5CytK0gBB2VY7I4InbASboPRoa4vAAlrBR3fCRFk9TTk4xVOs4xMwdE
        ZiO+SH1o19MRXIm+9thgIHa6bs5sAjWCwFVSRejyVZYN8xb9ZCzGkPrvCV02+vWUsp/2L7yrno5qEi52aCUdNU8ALf0NugAAAABJRU5ErkJg
        gg==
        """),
      data(
        """
        1aLU+rq7w7PN4/an8fjx1Mz46SasrKK8q2Zo8O/1xL/c3Kh2xcrBjt2G30vH4vf21ezi/KCXscWs4ub6
        """)
    ),
  ]
}
