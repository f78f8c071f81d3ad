#!/usr/bin/env bash
# Installs the third-party clients that the interop stage drives, at pinned versions, into folders that git ignores:
#   .tools/bin/{gnmic,gnmi_cli}   .venv-pygnmi   .venv-cisco-gnmi   .venv-openapi   .venv-yang
#   .venv-schemathesis   .venv-proxies
# It can be run again at any time; what is there already is left alone.
#
#   tests/interop/install.sh             install what can be installed, name what cannot
#   tests/interop/install.sh --require   the same, and fail when one is missing that could be installed:
#                                        without Go, gnmic and gnmi_cli are only named
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
bin=$root/.tools/bin
missing=()

# A network registry that does not answer must not hold the build for ever.
step() { timeout --kill-after=10 "${INTEROP_STEP_SECONDS:-1200}" "$@"; }

skip() {
    echo "interop: $1 is skipped: $2" >&2
    missing+=("$1")
}

# go_tool NAME PACKAGE: builds PACKAGE as tools/NAME/go.mod and go.sum pin it.
go_tool() {
    local name=$1 package=$2 module=$here/tools/$1 stamp
    stamp=$(find "$module" -type f -print0 | sort -z | xargs -0 cat | sha256sum | cut -c1-16)
    if [[ -x $bin/$name && $(cat "$bin/.$name" 2>/dev/null) == "$stamp" ]]; then
        echo "interop: $name is installed"
        return
    fi
    if ! command -v go >/dev/null; then
        echo "interop: $name is skipped: Go 1.24 or newer is not installed" >&2
        return
    fi
    echo "interop: building $name"
    mkdir -p "$bin"
    if (cd "$module" && GOFLAGS=-mod=readonly GOTOOLCHAIN=local GOWORK=off CGO_ENABLED=0 \
        step nice -n 10 go build -trimpath -ldflags='-s -w' -o "$bin/$name" "$package"); then
        echo "$stamp" >"$bin/.$name"
    else
        skip "$name" "its build failed"
    fi
}

# python_client NAME: a virtual environment of its own with what requirements/NAME.txt pins by hash.
python_client() {
    local name=$1 venv=$root/.venv-${1//_/-} list=$here/requirements/$1.txt stamp
    stamp=$(sha256sum <"$list" | cut -c1-16)
    if [[ -x $venv/bin/python && $(cat "$venv/.installed" 2>/dev/null) == "$stamp" ]] &&
        "$venv/bin/python" -c '' 2>/dev/null; then
        echo "interop: $name is installed"
        return
    fi
    if ! python3 -c 'import ensurepip, venv' 2>/dev/null; then
        skip "$name" "python3 with venv is not installed (Debian's package python3-venv)"
        return
    fi
    echo "interop: installing $name"
    rm -rf "$venv"
    if step python3 -m venv "$venv" &&
        step "$venv/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
            --only-binary :all: --require-hashes --requirement "$list"; then
        echo "$stamp" >"$venv/.installed"
    else
        rm -rf "$venv"
        skip "$name" "pip could not install it"
    fi
}

go_tool gnmi_cli github.com/openconfig/gnmi/cmd/gnmi_cli
go_tool gnmic github.com/openconfig/gnmic
python_client pygnmi
python_client cisco_gnmi
python_client openapi
python_client yang
python_client schemathesis
python_client proxies

if ((${#missing[@]} > 0)); then
    echo "interop: missing: ${missing[*]}" >&2
    [[ ${1:-} != --require ]] || exit 1
fi
