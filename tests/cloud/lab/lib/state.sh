# shellcheck shell=bash
# The run directory: ports, secrets, certificates, settings, databases, rings. Each step is done once and can be repeated.

set_ports() {  # OFFSET
    local name
    # Below 32768, where the kernel takes ports for outgoing connections
    PORT=([KEYSTONE]=15000 [HEAT]=18004 [SWIFT_PROXY]=18080 [BARBICAN]=19311
        [SWIFT_OBJECT]=16200 [SWIFT_CONTAINER]=16201 [SWIFT_ACCOUNT]=16202
        [KEYSTONE_TLS]=25000 [HEAT_TLS]=28004 [SWIFT_PROXY_TLS]=28080 [BARBICAN_TLS]=29311
        [TLS_EXPIRED]=25001 [TLS_WRONGHOST]=25002 [TLS_SELFSIGNED]=25003
        [TLS_IP]=26000 [TLS_NOSAN]=26001 [TLS_NOTYET]=26002 [TLS_PURPOSE]=26003 [TLS_OWNCA]=26004 [TLS_BELOW]=26005
        [TLS_ONE]=26006)
    # shellcheck disable=SC2004
    for name in "${!PORT[@]}"; do PORT[$name]=$((${PORT[$name]} + $1)); done
}

# A number in LAB_PORT_OFFSET is taken as it is; else the offset of last time if its ports are free, else the first free one.
choose_ports() {
    local name old offset=$LAB_PORT_OFFSET
    old=$(cat "$OFFSET_FILE" 2>/dev/null || true)
    if [ "$offset" = auto ]; then
        set_ports 0
        offset=$("$LAB_PYTHON" "$HERE/lib/free_offset.py" "${old:-0}" "${PORT[@]}") || die "no free ports"
    fi
    set_ports "$offset"
    [ "$offset" = "$old" ] || rm -f "$CONF"/*.ring.gz   # rings hold ports
    echo "$offset" >"$OFFSET_FILE"
    for name in "${!PORT[@]}"; do echo "$name ${PORT[$name]}"; done | jq -Rn '[inputs / " " | {(.[0]): (.[1] | tonumber)}] | add' >"$RUN/ports.json"
}

random_hex() { openssl rand -hex "${1:-16}"; }
fernet_key() { openssl rand 32 | base64 -w0 | tr '+/' '-_'; }

make_secrets() {
    [ -s "$RUN/secrets.env" ] && return 0
    {
        echo "ADMIN_PASSWORD=$(random_hex 12)"
        echo "SERVICE_PASSWORD=$(random_hex 12)"
        echo "USER_PASSWORD=$(random_hex 12)"
        echo "SWIFT_HASH_SUFFIX=$(random_hex)"
        echo "SWIFT_HASH_PREFIX=$(random_hex)"
        echo "HEAT_ENCRYPTION_KEY=$(random_hex)"
        echo "BARBICAN_KEK=$(fernet_key)"
    } >"$RUN/secrets.env.new"
    mv "$RUN/secrets.env.new" "$RUN/secrets.env"
}

make_certificates() {
    [ -e "$RUN/tls/done" ] && return 0
    mkdir -p "$RUN/tls"
    bash "$HERE/lib/certificates.sh" "$RUN/tls" >"$LOG/tls.log" 2>&1 || die "certificates: see $LOG/tls.log"
}

render_settings() {
    # shellcheck disable=SC1091
    . "$RUN/secrets.env"
    local name file edits=() nginx_user=''
    for name in ADMIN_PASSWORD SERVICE_PASSWORD SWIFT_HASH_SUFFIX SWIFT_HASH_PREFIX HEAT_ENCRYPTION_KEY BARBICAN_KEK RUN CONF LOG REGION; do
        edits+=(-e "s|@$name@|${!name}|g")
    done
    for name in "${!PORT[@]}"; do edits+=(-e "s|@PORT_$name@|${PORT[$name]}|g"); done
    [ "$(id -u)" -ne 0 ] || nginx_user='user root;'   # else its workers are nobody's and cannot read the keys' directory
    edits+=(-e "s|@TOKEN_TTL@|$LAB_TOKEN_TTL|g" -e "s|@USER@|$(id -un)|g" -e "s|@NGINX_USER@|$nginx_user|g")
    for file in "$HERE"/conf/*; do sed "${edits[@]}" "$file" >"$CONF/${file##*/}"; done
    if grep -n '@[A-Z_]*@' "$CONF"/*.conf "$CONF"/*.py >&2; then die "a setting has no value"; fi
    cp "$SERVER/etc/heat/api-paste.ini" "$CONF/heat-api-paste.ini"
    cp "$SERVER/etc/barbican/barbican-api-paste.ini" "$CONF/barbican-api-paste.ini"
    mkdir -p "$RUN/heat/environment.d" "$RUN/heat/templates" "$RUN/heat/policy.d" "$RUN/barbican/.barbican" "$RUN/nginx"
    cp "$SERVER"/etc/heat/environment.d/* "$RUN/heat/environment.d/"
    cp "$CONF/barbican.conf" "$RUN/barbican/.barbican/barbican.conf"   # barbican looks in ~/.barbican
}

once() {  # MARK COMMAND...
    [ -e "$RUN/$1" ] && return 0
    "${@:2}" && touch "$RUN/$1"
}

init_keystone() {
    local key keystone=("$SERVER/bin/python" "$HERE/lib/keystone_init.py" --config-file "$CONF/keystone.conf")
    mkdir -p "$RUN/keystone/fernet-keys" "$RUN/keystone/credential-keys"
    for key in fernet-keys/0 fernet-keys/1 credential-keys/0 credential-keys/1; do
        [ -s "$RUN/keystone/$key" ] || fernet_key >"$RUN/keystone/$key"
    done
    # shellcheck disable=SC1091
    . "$RUN/secrets.env"
    once keystone/.database "${keystone[@]}" db_sync
    once keystone/.admin env OS_BOOTSTRAP_PASSWORD="$ADMIN_PASSWORD" "${keystone[@]}" bootstrap --bootstrap-region-id "$REGION"
}

init_others() {
    local ring name builder="$SERVER/bin/swift-ring-builder"
    mkdir -p "$RUN/swift/devices/d1"
    for ring in account container object; do
        [ -s "$CONF/$ring.ring.gz" ] && continue
        name=SWIFT_${ring^^}
        rm -f "$CONF/$ring.builder"
        "$builder" "$CONF/$ring.builder" create 4 1 0
        "$builder" "$CONF/$ring.builder" add --region 1 --zone 1 --ip 127.0.0.1 --port "${PORT[$name]}" --device d1 --weight 1
        "$builder" "$CONF/$ring.builder" rebalance
    done
    once heat/.database "$SERVER/bin/heat-manage" --config-file "$CONF/heat.conf" db_sync
    once barbican/.database env HOME="$RUN/barbican" "$SERVER/bin/barbican-manage" db upgrade
}

# Users, roles, catalog: again when the ports have moved, since the catalog holds them
init_users() {
    local made_for
    # Also where the script has changed since: it may be run again
    made_for="$(cat "$OFFSET_FILE") $(cksum <"$HERE/lib/bootstrap.py")"
    [ "$(cat "$RUN/keystone/.users" 2>/dev/null || true)" = "$made_for" ] && return 0
    say "users and catalog"
    # shellcheck disable=SC1091
    . "$RUN/secrets.env"
    env ADMIN_PASSWORD="$ADMIN_PASSWORD" SERVICE_PASSWORD="$SERVICE_PASSWORD" USER_PASSWORD="$USER_PASSWORD" \
        LAB_RUN="$RUN" LAB_REGION="$REGION" "$SERVER/bin/python" "$HERE/lib/bootstrap.py" >"$LOG/bootstrap.log" 2>&1 \
        || { tail -n 5 "$LOG/bootstrap.log" >&2; die "users: see $LOG/bootstrap.log"; }
    echo "$made_for" >"$RUN/keystone/.users"
}
