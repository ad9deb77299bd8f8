#!/bin/sh
# Starts nginx as the entry point of docker-compose.yml, after writing what nginx.conf includes: the proxies in front of it that are
# believed. nginx takes them one by one, and .env has them in one line.
set -euf

bad() {
  echo "TASKSCHEDULER_TRUSTED_PROXIES has '$1'; allowed: IP addresses and networks like 10.0.0.7, 172.16.0.0/12, separated by commas." >&2
  exit 1
}

byte='(25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])'
ipv4="($byte\.){3}$byte(/(3[0-2]|[12]?[0-9]))?"
ipv6='[0-9A-Fa-f]*:[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*(/(12[0-8]|1[01][0-9]|[1-9]?[0-9]))?'

proxies=$(printf '%s' "${TASKSCHEDULER_TRUSTED_PROXIES:-}" | tr ',' ' ')
for proxy in $proxies; do
  # What is no address nginx would ask a name server for.
  printf '%s\n' "$proxy" | grep -Eqx "$ipv4|$ipv6" || bad "$proxy"
done

{
  for proxy in $proxies; do
    echo "set_real_ip_from $proxy;"
  done
  echo 'geo $realip_remote_addr $is_from_proxy {'
  echo '  default 0;'
  for proxy in $proxies; do
    echo "  $proxy 1;"
  done
  echo '}'
} >/tmp/trusted_proxies.conf

exec nginx "$@"
