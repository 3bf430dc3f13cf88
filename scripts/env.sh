# Sourced by the other scripts: finds a Python, makes .venv and keeps it up to date. POSIX sh.
# The caller has set $root to the checkout. Afterwards $venv is an environment to run from.
#
# PYTHON=PROGRAM       makes .venv with that Python
# SECURECHAT_VENV=DIR  uses the environment in DIR as it is; nothing is installed

fail() {
    echo "$*" >&2
    exit 1
}

# Set $python to the first Python that is new enough.
find_python() {
    seen=""
    set -- python3 python3.14 python3.13 python3.12 python3.11
    [ -z "${PYTHON:-}" ] || set -- "$PYTHON"
    for python in "$@"; do
        version=$("$python" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
        seen="$seen $version"
        if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            return
        fi
    done
    if [ -n "$seen" ]; then
        fail "securechat needs Python 3.11 or newer, and here is only$seen." \
            "Install a newer one, or name it: PYTHON=/path/to/python3 $0"
    fi
    fail "securechat needs Python 3.11 or newer, and ${PYTHON:-python3} does not run here." \
        "Install it, or name it: PYTHON=/path/to/python3 $0"
}

# Everything that decides what is in the environment; it also cannot be moved to another folder.
stamp() {
    echo "$root"
    cat "$root/pyproject.toml" "$root/constraints.txt"
}

# environment run|dev: have a .venv with what runs, or with what checks as well.
environment() {
    if [ -n "${SECURECHAT_VENV:-}" ]; then
        venv=$SECURECHAT_VENV
        [ -x "$venv/bin/python" ] || fail "SECURECHAT_VENV=$venv is not a Python environment: it has no bin/python."
        return
    fi
    venv=$root/.venv
    if [ -e "$venv/.for-dev" ] || [ "$1" = dev ]; then
        wanted=dev tools="babel hypothesis mypy pexpect py-spy pytest pytest-xdist ruff"
    else
        wanted=run tools=""
    fi
    if "$venv/bin/python" -c '' 2>/dev/null && stamp | cmp -s - "$venv/.for-$wanted"; then
        return
    fi
    install
}

install() {
    if ! "$venv/bin/python" -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
        find_python
        "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "Python $version has no venv module, which" \
            "securechat needs for its own folder of libraries. On Debian or Ubuntu: apt install python3-venv"
        echo "Making .venv with Python $version and installing securechat into it ..."
        run_quietly "$python" -m venv --clear "$venv"
    else
        echo "Bringing .venv up to date ..."
    fi
    # By the environment, not by -c: the throw-away environment that builds the project obeys these too.
    # Relative, because pip cuts them at spaces.
    export PIP_CONSTRAINT=constraints.txt PIP_BUILD_CONSTRAINT=constraints.txt
    rm -f "$venv/.for-run" "$venv/.for-dev"
    # shellcheck disable=SC2086  # a list of words
    run_quietly "$venv/bin/python" -m pip install --disable-pip-version-check --no-input -e . $tools
    unset PIP_CONSTRAINT PIP_BUILD_CONSTRAINT
    stamp >"$venv/.for-$wanted"
}

# Run a command in the checkout, and show what it said only if it fails.
run_quietly() {
    if ! said=$(cd "$root" && "$@" 2>&1 </dev/null); then
        printf '%s\n' "$said" | tail -n 15 >&2
        fail "That failed: $*"
    fi
}
