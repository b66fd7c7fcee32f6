# shellcheck shell=bash
# One process group a service. A pid file holds the pid and its start time, so that a reused pid is never touched.

start_time() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

alive() {  # SERVICE: prints the pid if that very process is up
    local pid time
    read -r pid time 2>/dev/null <"$PID/$1.pid" || return 1
    [ -n "$pid" ] && [ "$(start_time "$pid")" = "$time" ] && echo "$pid"
}

spawn() {  # SERVICE COMMAND...: in a session of its own
    local service=$1 i
    shift
    # shellcheck disable=SC2016
    setsid bash -c 'time=$(sed "s/.*) //" /proc/$$/stat | cut -d" " -f20); echo "$$ $time" >"$0.new"; mv "$0.new" "$0"; exec "$@"' \
        "$PID/$service.pid" "$@" </dev/null >>"$LOG/$service.out" 2>&1 7>&- 8>&- 9>&- &
    disown
    for ((i = 0; i < 100; i++)); do
        [ -s "$PID/$service.pid" ] && return 0
        sleep 0.02
    done
    die "$service: no pid file"
}

launch() {
    case $1 in
    keystone)  # no arguments: Keystone reads sys.argv as its own
        spawn keystone env OS_KEYSTONE_CONFIG_DIR="$CONF" GUNICORN_CMD_ARGS="-c $CONF/gunicorn-keystone.py" "$SERVER/bin/gunicorn" ;;
    heat)
        spawn heat "$SERVER/bin/heat-all" --config-file "$CONF/heat.conf" ;;
    barbican)
        spawn barbican env HOME="$RUN/barbican" "$SERVER/bin/gunicorn" -n lab-barbican -b "127.0.0.1:${PORT[BARBICAN]}" -k gthread -w 1 \
            --threads 4 --worker-tmp-dir "$RUN" --access-logfile "$LOG/barbican-access.log" --paste "$CONF/barbican-api-paste.ini" ;;
    swift-*)
        spawn "$1" "$SERVER/bin/python" "$HERE/lib/swift_server.py" "$CONF" "${1#swift-}" "$CONF/$1.conf" -v ;;
    tls)
        spawn tls "$NGINX" -p "$RUN/nginx" -e "$LOG/nginx-error.log" -c "$CONF/nginx.conf" ;;
    esac
}

healthy() {
    local port path=/healthcheck
    case $1 in
    tls) curl -sSf -o /dev/null -m 3 --cacert "$RUN/tls/ca.crt" "https://127.0.0.1:${PORT[KEYSTONE_TLS]}/v3"; return ;;
    keystone) path=/v3 ;;
    esac
    port=${1^^}
    curl -sSf -o /dev/null -m 3 "http://127.0.0.1:${PORT[${port//-/_}]}$path"
}

ports_of() {
    local name=${1^^}
    case $1 in
    tls) for name in "${!PORT[@]}"; do [[ $name == *TLS* ]] && echo "${PORT[$name]}"; done; true ;;
    *) echo "${PORT[${name//-/_}]}" ;;
    esac
}

start_service() {
    local port
    alive "$1" >/dev/null && return 0
    rm -f "$PID/$1.pid"
    # else a foreign server would pass for ours in the health check
    for port in $(ports_of "$1"); do
        if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then die "$1: port $port is taken by another process"; fi
    done
    launch "$1"
}

wait_for() {
    local service=$1 end=$((SECONDS + LAB_WAIT))
    until healthy "$service" 2>/dev/null; do
        alive "$service" >/dev/null || { tail -n 15 "$LOG/$service.out" >&2; die "$service died: see $LOG/$service.out"; }
        [ $SECONDS -lt $end ] || die "$service is not healthy after $LAB_WAIT s: see $LOG/$service.out"
        sleep 0.1
    done
}

stop_service() {
    local pid
    if pid=$(alive "$1"); then
        kill -CONT -- "-$pid" 2>/dev/null || true
        kill -TERM -- "-$pid" 2>/dev/null || true
        # heat-all often ignores SIGTERM
        gone "$pid" || kill -KILL -- "-$pid" 2>/dev/null || true
        gone "$pid" || say "$1: process group $pid does not end"
    fi
    rm -f "$PID/$1.pid"
}

gone() {  # PROCESS-GROUP: within 2.5 seconds
    local i
    for ((i = 0; i < 25; i++)); do
        kill -0 -- "-$1" 2>/dev/null || return 0
        sleep 0.1
    done
    return 1
}
