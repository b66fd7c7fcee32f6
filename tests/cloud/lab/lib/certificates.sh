#!/usr/bin/env bash
# The lab's CA, and server certificates: good ones, and one for each reason to refuse it.
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
[client]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = clientAuth
EOF
: >index.txt
echo 'unique_subject = no' >index.txt.attr
openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/O=dcn-vault lab/CN=lab test CA" -keyout ca.key -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign

leaf() {  # NAME CN SUBJECT-ALT-NAME END SIGNER...
    request "$1" "$2" ${3:+-addext "subjectAltName=$3"}
    openssl ca -batch -notext -config ca.cnf -extensions "${EXTENSIONS:-leaf}" -startdate "${START:-20200101000000Z}" -enddate "$4" \
        -in "$1.csr" -out "$1.crt" "${@:5}"
}
request() {  # NAME CN OPTION...
    openssl req -newkey rsa:2048 -nodes -subj "/O=dcn-vault lab/CN=$2" -keyout "$1.key" -out "$1.csr" "${@:3}"
}
leaf server localhost IP:127.0.0.1,DNS:localhost 20450101000000Z -cert ca.crt -keyfile ca.key
leaf wronghost other.example DNS:other.example 20450101000000Z -cert ca.crt -keyfile ca.key
leaf expired localhost IP:127.0.0.1,DNS:localhost 20210101000000Z -cert ca.crt -keyfile ca.key
leaf selfsigned localhost IP:127.0.0.1,DNS:localhost 20450101000000Z -selfsign -keyfile selfsigned.key
# As for an undercloud whose URL has an address
leaf ip 127.0.0.1 IP:127.0.0.1 20450101000000Z -cert ca.crt -keyfile ca.key
# As old underclouds have them: a CN alone
leaf nosan 127.0.0.1 '' 20450101000000Z -cert ca.crt -keyfile ca.key
START=20440101000000Z leaf notyet localhost IP:127.0.0.1 20450101000000Z -cert ca.crt -keyfile ca.key
EXTENSIONS=client leaf purpose localhost IP:127.0.0.1 20450101000000Z -cert ca.crt -keyfile ca.key
# What `openssl req -x509` makes unless told otherwise: a CA, which then serves
openssl req -x509 -newkey rsa:2048 -nodes -days 7000 -subj "/O=dcn-vault lab/CN=own CA" -keyout ownca.key -out ownca.crt \
    -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:TRUE
# Signed by a server's certificate, which is none of a CA
leaf below localhost IP:127.0.0.1 20450101000000Z -cert server.crt -keyfile server.key
cat server.crt >>below.crt
# Version 1 has no extensions
request one 127.0.0.1
openssl x509 -req -in one.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 7000 -out one.crt
cat selfsigned.crt ca.crt >both.crt
chmod 0644 ca.crt
touch "$PWD/done"
