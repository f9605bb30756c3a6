"""What stands inside a machine so that ordinary tools work as they are, through the gateway.

Inside, a forwarder passes TCP on 127.0.0.1 to the gateway's socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

PORT = 3141
#: Where the directory of the gateway's socket is seen inside, read-only.
PLACE = "/run/gw"
#: Where the R client lies inside.
R_CLIENT = "/opt/data/atoll-r/atoll.R"

_PIP = """\
[global]
index-url = {url}/pypi/simple/
disable-pip-version-check = true
# The system is read-only; what is installed goes to the home.
break-system-packages = true
"""

_UV = """\
[[index]]
url = "{url}/pypi/simple/"
default = true
"""

_NPM = """\
registry={url}/npm/
replace-registry-host=always
audit=false
fund=false
update-notifier=false
prefix=${{HOME}}/.local
"""

_R = """\
local({{
  url <- "{url}/cran"
  options(repos = c(CRAN = url), pkgType = "source", download.file.method = "libcurl")
  # The mirror has no list of all packages: what is asked for is named in the address.
  inside <- new.env()
  inside$install.packages <- function(pkgs, lib = .libPaths()[[1L]], repos = getOption("repos"), ...) {{
    if (identical(unname(repos), url)) repos <- c(CRAN = paste0(url, "/for/", paste(pkgs, collapse = "+")))
    utils::install.packages(pkgs, lib = lib, repos = repos, ...)
  }}
  # atoll_sql() is there from the start, where the machine has Atoll's client.
  if (file.exists("{client}")) {{
    client <- new.env(parent = globalenv())
    tryCatch(
      {{
        sys.source("{client}", envir = client)
        inside$atoll_sql <- client$atoll_sql
      }},
      error = function(problem) message("atoll_sql() is not there: ", conditionMessage(problem))
    )
  }}
  setHook(packageEvent("utils", "attach"), function(...) attach(inside, name = "atoll", warn.conflicts = FALSE))
  library_dir <- Sys.getenv("R_LIBS_USER", file.path(Sys.getenv("HOME"), ".local", "lib", "R"))
  dir.create(library_dir, recursive = TRUE, showWarnings = FALSE)
  .libPaths(c(library_dir, .libPaths()))
}})
"""

_GIT = """\
[url "{url}/git/"]
	insteadOf = atoll:
[init]
	defaultBranch = main
[credential]
	helper =
"""


def inside_configuration(port: int = PORT) -> Mapping[str, str]:
    """Texts by absolute path inside; `inside_variables` leads the tools to them. They hold no secret."""
    url = f"http://127.0.0.1:{port}"
    texts = {
        f"{PLACE}/pip.conf": _PIP,
        f"{PLACE}/uv.toml": _UV,
        f"{PLACE}/npmrc": _NPM,
        f"{PLACE}/Rprofile.site": _R,
        f"{PLACE}/gitconfig": _GIT,
    }
    return {path: text.format(url=url, client=R_CLIENT) for path, text in texts.items()}


def write_configuration(directory: Path, port: int = PORT) -> None:
    """Write the texts beside the gateway's socket, in the directory that is seen inside at `PLACE`."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path, text in inside_configuration(port).items():
        target = directory / Path(path).name
        part = target.with_name(f".{target.name}.part")
        part.write_text(text, encoding="utf-8")
        part.chmod(0o644)
        part.replace(target)


def _address(login: str) -> str:
    return login if "@" in login else f"{login}@atoll.invalid"


def inside_variables(*, login: str, project: str, port: int = PORT) -> Mapping[str, str]:
    """Environment of a machine, for tools that look there. No secret: the gateway puts the identity in."""
    return {
        "ATOLL_URL": f"http://127.0.0.1:{port}",
        "ATOLL_PROJECT": project,
        "PIP_CONFIG_FILE": f"{PLACE}/pip.conf",
        "UV_CONFIG_FILE": f"{PLACE}/uv.toml",
        "NPM_CONFIG_GLOBALCONFIG": f"{PLACE}/npmrc",
        "R_PROFILE": f"{PLACE}/Rprofile.site",
        "GIT_CONFIG_SYSTEM": f"{PLACE}/gitconfig",
        "GIT_AUTHOR_NAME": login,
        "GIT_AUTHOR_EMAIL": _address(login),
        "GIT_COMMITTER_NAME": login,
        "GIT_COMMITTER_EMAIL": _address(login),
        "NO_PROXY": "127.0.0.1",
    }
