#!/usr/bin/env bash
# The lab's CA, and four server certificates: a good one and three that a client must refuse.
#   certificates.sh DIR
set -euo pipefail
cd "$1"
cat >ca.cnf <<EOF
[ca]
default_ca = lab
[lab]
database = $PWD/index.txt
new_certs_dir = $PWD
rand_serial = yes
default_md = sha256
policy = policy
copy_extensions = copy
[policy]
O = optional
CN = supplied
[leaf]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature,keyEncipherment
extendedKeyUsage = serverAuth
EOF
: >index.txt
echo 'unique_subject = no' >index.txt.attr
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/O=dcn-vault lab/CN=lab test CA" -keyout ca.key -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

leaf() {  # NAME CN SUBJECT-ALT-NAME END SIGNER...
    openssl req -newkey rsa:2048 -nodes -subj "/O=dcn-vault lab/CN=$2" -addext "subjectAltName=$3" -keyout "$1.key" -out "$1.csr"
    openssl ca -batch -notext -config ca.cnf -extensions leaf -startdate 20200101000000Z -enddate "$4" -in "$1.csr" -out "$1.crt" "${@:5}"
}
leaf server localhost IP:127.0.0.1,DNS:localhost 20450101000000Z -cert ca.crt -keyfile ca.key
leaf wronghost other.example DNS:other.example 20450101000000Z -cert ca.crt -keyfile ca.key
leaf expired localhost IP:127.0.0.1,DNS:localhost 20210101000000Z -cert ca.crt -keyfile ca.key
leaf selfsigned localhost IP:127.0.0.1,DNS:localhost 20450101000000Z -selfsign -keyfile selfsigned.key
chmod 0644 ca.crt
touch "$PWD/done"
