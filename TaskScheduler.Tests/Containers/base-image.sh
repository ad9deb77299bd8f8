#!/bin/bash
# base-image.sh sdk|runtime|nginx|postgres [shell]: writes a tar of this machine's files to standard output, which stands in
# for a base image where none can be pulled. A runtime gets a shell only if it is asked for.
set -euo pipefail

dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

runtime() {
  echo "$dotnet/dotnet"
  ls -d "$dotnet"/{host,shared} /usr/share/zoneinfo /etc/ssl/certs/ca-certificates.crt
  # Loaded by name, when they are needed.
  ls /usr/lib/*-linux-gnu/{libicu{data,i18n,uc},libssl,libcrypto}.so.*
}

shell() {
  ls /bin/{bash,cat,chmod,chown,cp,grep,id,ln,ls,mkdir,mv,rm,sed,sh,sleep} /usr/bin/tr
}

# With the packages that the program is built from: there is no network to restore them from.
sdk() {
  ls -d "$dotnet"/*
  runtime
  shell
  mkdir "$folder/packages"
  packages=$(dotnet nuget locals global-packages --list)
  awk -F'"' '/^      "/ { name = $2 } $2 == "resolved" { print tolower(name "/" $4) }' ./TaskScheduler.{Api,Jobs}/packages.lock.json |
    sort -u | while read -r package; do
      mkdir -p "$folder/packages/${package%/*}"
      ln -s "${packages#*: }/$package" "$folder/packages/$package"
    done
}

nginx() {
  shell
  ls /usr/sbin/nginx /etc/nginx/mime.types
}

postgres() {
  shell
  ls -d /usr/lib/postgresql/* /usr/share/postgresql/*
}

mkdir -p "$folder"/{etc,home/app,root,run,var}
mkdir -m 1777 "$folder/tmp"
printf 'root:x:0:0::/root:/bin/sh\napp:x:1654:1654::/home/app:/bin/sh\n' >"$folder/etc/passwd"
printf 'root:x:0:\napp:x:1654:\n' >"$folder/etc/group"
chown 1654:1654 "$folder/home/app"

for part; do "$part"; done | sort -u >"$folder.files"
trap 'rm -rf "$folder" "$folder.files" "$folder.libraries"' EXIT
# The SDK's own files need no more libraries than the runtime's. ldd fails over a script.
(grep -vxF "$dotnet/sdk" "$folder.files" | xargs -I@ find -L @ -type f \( -perm -u+x -o -name '*.so*' \) -exec ldd {} + 2>/dev/null || true) |
  grep -o '/[^ ]*' | grep -v -e ':$' -e "^$dotnet/" | sort -u | grep -vxFf "$folder.files" >"$folder.libraries"
tar -cPhf - --hard-dereference --transform "s,^$dotnet,/usr/share/dotnet," --transform "s,^$folder,," \
  -T "$folder.files" -T "$folder.libraries" "$folder"
