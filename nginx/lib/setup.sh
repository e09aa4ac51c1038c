# Set-up that nginx/demo and Tests/run share. Sourced by bash; needs "set -euo pipefail".
# Says on standard error what it does; installs only what is missing.

# Without this, a failing command inside $(…) is passed over.
shopt -s inherit_errexit

say() { printf '\033[1m==> %s\033[0m\n' "$*" >&2; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# as_root COMMAND…: with sudo where we are not root.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif command -v sudo >/dev/null; then sudo "$@"
    else die "this needs root or sudo: $*"
    fi
}

# need_packages NAME…: Debian packages. A package's service is not started: servers run here with
# configurations of their own.
need_packages() {
    local missing=() name policy=/usr/sbin/policy-rc.d
    for name in "$@"; do
        dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'ok installed' || missing+=("$name")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing Debian packages: ${missing[*]}"
    local made_policy=
    if [ ! -e "$policy" ]; then
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod +x "$policy"
        made_policy=1
    fi
    local status=0
    as_root apt-get update -qq >&2 || status=$?
    [ $status != 0 ] || as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2 || status=$?
    [ -z "$made_policy" ] || as_root rm -f "$policy"
    [ $status = 0 ] || die "apt-get could not install: ${missing[*]}"
}

# find_swift: puts a Swift toolchain on PATH.
find_swift() {
    local directory
    if ! command -v swift >/dev/null; then
        for directory in /opt/swift/usr/bin "$HOME/.local/share/swiftly/bin" "$HOME/.swiftly/bin" /usr/libexec/swift/bin; do
            [ ! -x "$directory/swift" ] || PATH="$directory:$PATH"
        done
    fi
    command -v swift >/dev/null || die "no Swift toolchain: install Swift 6.2 or newer from swift.org and put it on PATH"
}

# find_python: prints a Python that LNbits runs on (3.10 to 3.12) and that can make a venv.
find_python() {
    local candidate
    for candidate in python3.11 python3.12 python3.10 python3 /usr/bin/python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "no Python 3.10 to 3.12 with venv"
}

# make_venv NAME REQUIREMENTS…: prints the directory of a venv with what the files list, made once
# for each content of theirs, by one process at a time, and never seen half made.
make_venv() {
    local name=$1 python version cache venv sum lock
    shift
    python=$(find_python)
    version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    sum=$(cat "$@" | sha256sum | cut -c1-12)
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/l402-fcgi
    venv=$cache/$name-$sum-$version
    mkdir -p "$cache"
    exec {lock}>"$venv.lock"
    flock "$lock"
    # A venv whose Python has been removed since is made again.
    if [ ! -e "$venv/complete" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
        say "making a Python venv for $name in $venv (a minute or two)"
        rm -rf "$venv"
        "$python" -m venv "$venv" >&2
        local file arguments=()
        for file in "$@"; do arguments+=(-r "$file"); done
        "$venv/bin/pip" install -q --disable-pip-version-check "${arguments[@]}" >&2 ||
            die "pip could not install what $* lists"
        touch "$venv/complete"
    fi
    exec {lock}>&-
    printf '%s\n' "$venv"
}

# wait_for SECONDS WHAT PID COMMAND…: until the command succeeds, while the process lives.
wait_for() {
    local seconds=$1 what=$2 process=$3 end
    shift 3
    end=$((SECONDS + seconds))
    until "$@" >/dev/null 2>&1; do
        kill -0 "$process" 2>/dev/null || die "$what ended at once"
        [ $SECONDS -lt $end ] || die "$what: not ready after $seconds seconds"
        sleep 0.1
    done
}
