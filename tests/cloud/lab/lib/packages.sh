# shellcheck shell=bash
# Debian packages, only those that are missing. Sourced by `lab` and `.ci/run`.

# need_packages COMMAND:PACKAGE...   (a COMMAND that is a path must exist, another must be on PATH)
need_packages() {
    local entry missing=() sudo=()
    for entry in "$@"; do
        case $entry in
        /*) [ -e "${entry%%:*}" ] || missing+=("${entry##*:}") ;;
        *) command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}") ;;
        esac
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        sudo=(sudo -n)
        sudo -n true 2>/dev/null || { echo "missing Debian packages, and no root: apt-get install ${missing[*]}" >&2; return 1; }
    fi
    command -v apt-get >/dev/null || { echo "missing, and this is no Debian: ${missing[*]}" >&2; return 1; }
    echo "apt: ${missing[*]}" >&2
    "${sudo[@]}" apt-get update -qq -o DPkg::Lock::Timeout=120 </dev/null >&2
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o DPkg::Lock::Timeout=120 "${missing[@]}" </dev/null >/dev/null
}
