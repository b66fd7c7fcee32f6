# shellcheck shell=bash
# What the lab needs on the machine: Debian packages, nginx's binary, Python environments: of the services, of their
# clients, and of TripleO's own client in two generations, which is a peer.

cmd_install() {
    mkdir -p "$LAB_STATE" "$LAB_VENVS"
    exec 9>"$LAB_VENVS/.lock"
    flock 9
    need_packages jq:jq curl:curl openssl:openssl age:age ssh-keygen:openssh-client ps:procps flock:util-linux \
        /etc/ssl/certs/ca-certificates.crt:ca-certificates "$LAB_PYTHON:python3" || die "packages are missing"
    "$LAB_PYTHON" -c 'import ensurepip, venv' 2>/dev/null || need_packages ensurepip:python3-venv || die "packages are missing"
    install_nginx
    local server client release peer peers=()
    # the services load a fraction of what they install: compiled when first loaded
    install_venv "$SERVER" "$HERE/locks/server.txt" --no-compile & server=$!
    install_venv "$CLIENT" "$HERE/locks/client.txt" & client=$!
    for release in 16 20; do
        install_venv "$LAB_VENVS/tripleo-$release" "$HERE/locks/tripleo-$release.txt" --no-compile & peers+=($!)
    done
    for peer in "${peers[@]}"; do wait "$peer" || die "install: see $INSTALL_LOG"; done
    wait $server || die "install: see $INSTALL_LOG"
    wait $client || die "install: see $INSTALL_LOG"
    exec 9>&-
}

# Only the binary, unpacked beside the environments: no service is installed, nothing listens on port 80.
install_nginx() {
    [ -x "$NGINX" ] && return 0
    local dir sudo=()
    [ "$(id -u)" -eq 0 ] || sudo=(sudo -n)
    dir=$(mktemp -d --tmpdir="$LAB_VENVS" --suffix=.apt)
    say "nginx: binary from its Debian package"
    {
        { apt_download "$dir" || { "${sudo[@]}" apt-get update -qq && apt_download "$dir"; }; } &&
            mkdir -p "$LAB_VENVS/nginx" && dpkg -x "$dir"/nginx_*.deb "$LAB_VENVS/nginx"
    } >>"$INSTALL_LOG" 2>&1 </dev/null || die "nginx: see $INSTALL_LOG"
    rm -rf "$dir"
    "$NGINX" -v 2>>"$INSTALL_LOG" || die "nginx does not run: see $INSTALL_LOG"
}

apt_download() { (cd "$1" && apt-get download -qq nginx); }

# install_venv DIRECTORY LOCK PIP-OPTION...: a lock is a whole `pip freeze`, so pip resolves nothing, and two of them can share the work
install_venv() {
    local dir=$1 lock=$2 mark part parts=()
    mark=$(sha256sum <"$lock")$("$LAB_PYTHON" -VV)
    [ "$(cat "$dir/.lock-installed" 2>/dev/null || true)" = "$mark" ] && return 0
    say "venv $dir: $(grep -c . "$lock") packages"
    rm -rf "$dir"
    env -u PYTHONPYCACHEPREFIX "$LAB_PYTHON" -m venv "$dir" >>"$INSTALL_LOG" 2>&1 || die "venv: see $INSTALL_LOG"
    for part in 1 2; do
        split -n "r/$part/2" "$lock" >"$dir/requirements-$part.txt"
        env -u PYTHONPYCACHEPREFIX "$dir/bin/pip" install -q --no-deps -r "$dir/requirements-$part.txt" "${@:3}" >>"$INSTALL_LOG" 2>&1 </dev/null &
        parts+=($!)
    done
    for part in "${parts[@]}"; do wait "$part" || die "pip: see $INSTALL_LOG"; done
    printf '%s' "$mark" >"$dir/.lock-installed"
}
