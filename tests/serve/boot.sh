#!/bin/bash
# Becomes systemd, as PID 1 of namespaces that its caller has made, over a root that is not written to. With our units, and two services
# that ask for a credential: one whom the policy allows it, one whom it does not. What they see comes to HERE/out.
#   boot.sh HERE PROGRAM PACKAGING
set -euo pipefail
here=$1 program=$2 packaging=$3
root=$here/root layer=$here/layer

mkdir "$root" "$layer"
mount -t tmpfs tmpfs "$layer"
mkdir "$layer/upper" "$layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$root"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for name in full null random tty urandom zero; do cp -a "/dev/$name" "$root/dev/"; done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mkdir "$root/run/out"
mount --bind "$here/out" "$root/run/out"

install -m 755 "$program" "$root/usr/bin/dcn-vault"
mkdir -p "$root/srv/dcn-vault" "$root/etc/dcn-vault"
cp -r "$here/bundle" "$root/srv/dcn-vault/"
install -m 644 "$here/.config/dcn-vault/signers" "$root/etc/dcn-vault/"
install -m 644 "$here/serve.yaml" "$root/etc/dcn-vault/"
install -m 600 "$here/identity.txt" "$root/etc/dcn-vault/"
echo 'dcn-vault:x:990:990::/var/lib/dcn-vault:/usr/sbin/nologin' >>"$root/etc/passwd"
echo 'dcn-vault:x:990:' >>"$root/etc/group"

units=$root/etc/systemd/system
rm -rf "${units:?}"/*
unit() { printf '[Unit]\nDefaultDependencies=no\n%s\n' "$2" >"$units/$1"; }
for name in dcn-vault.service dcn-vault.socket; do
    sed 's/^\[Unit\]/[Unit]\nDefaultDependencies=no/' "$packaging/$name" >"$units/$name"
done
mkdir "$units/dcn-vault.service.d"
printf '[Service]\nLoadCredentialEncrypted=\nLoadCredential=dcn-vault-identity:/etc/dcn-vault/identity.txt\n' \
    >"$units/dcn-vault.service.d/identity.conf"
for name in edge refused; do
    unit "$name.service" "[Service]
Type=oneshot
ExecStart=/bin/sh -c 'cat \${CREDENTIALS_DIRECTORY}/passwords.yaml >/run/out/$name'"
    mkdir "$units/$name.service.d"
    "$program" serve --drop-in "$name.service" --socket /run/dcn-vault/dcn-vault.sock --credential passwords.yaml \
        >"$units/$name.service.d/dcn-vault.conf"
done
cat >"$root/usr/bin/look" <<'LOOK'
#!/bin/bash
exec >>/run/out/state 2>&1
result() { systemctl show --value -p Result "$1"; }
echo "edge.service $(result edge.service)"
echo "refused.service $(result refused.service)"
echo "dcn-vault.service $(systemctl is-active dcn-vault.service)"
dcn-vault get NovaPassword --socket /run/dcn-vault/dcn-vault.sock >/run/out/get
systemctl reload dcn-vault.service && echo 'dcn-vault.service reloaded'
systemctl stop dcn-vault.service
echo "dcn-vault.service $(systemctl is-active dcn-vault.service) $(result dcn-vault.service)"
systemctl status --no-pager --lines=0 edge refused dcn-vault.service dcn-vault.socket
cat /var/log/dcn-vault/audit.jsonl >/run/out/audit
systemctl exit 0
LOOK
chmod 755 "$root/usr/bin/look"
unit look.service '[Service]
Type=oneshot
ExecStart=/usr/bin/look'
sed -i 's/^DefaultDependencies=no/&\nAfter=edge.service refused.service/' "$units/look.service"
unit boot.target ''
sed -i 's/^DefaultDependencies=no/&\nWants=dcn-vault.socket edge.service refused.service look.service/' "$units/boot.target"

mkdir -p "$root/mnt/old"
cd "$root"
pivot_root . mnt/old
umount -l /mnt/old
# systemd does so itself, unless it is in a container; it needs it to hand out credentials
mount --make-rshared /
exec env -i container=test "PATH=$PATH" /lib/systemd/systemd --system --unit=boot.target --show-status=false
