# `just` lists what there is. No logic here: .ci/run and tests/all have it.

[private]
default:
    @just --list

[group('write')]
[doc('Format the source')]
fmt:
    cargo fmt

[group('check')]
[doc('Formatting and clippy, as CI has them')]
lint:
    .ci/run fmt clippy

[group('check')]
[doc('Documentation, private items too')]
doc:
    .ci/run doc

[group('check')]
[doc('Licences, bans and sources of the dependencies')]
deny:
    .ci/run deny

[group('check')]
[doc('Every `.expose(` outside src/secret/ says why')]
forbid:
    .ci/run forbid

[group('test')]
[doc('Tests that need no cloud')]
test *ARGS:
    cargo test --locked {{ ARGS }}

[group('test')]
[doc('All tests, with the lab')]
all *ARGS:
    tests/all {{ ARGS }}

[group('test')]
[doc('Exactly what CI runs')]
ci:
    .ci/run

[group('test')]
[doc('Speed and memory against peers; needs a lab that is up (`. "$LAB_STATE/run/env"`)')]
bench:
    cargo build --locked --release --bins --examples
    benches/ratios.py

[group('test')]
[doc('What a deployment waits for, up to its first instruction, against age and rage')]
bench-run:
    cargo build --locked --release --bins
    benches/run.py

[group('test')]
[doc('Thousands of sites against the bare primitives: speed and memory')]
bench-sites:
    cargo build --locked --release --bins --examples
    benches/sites.py

[group('use')]
[doc("README's first command")]
demo:
    cargo run --locked --release --example demo

[group('use')]
[doc('The lab: a real OpenStack on loopback (`just lab start`)')]
lab *ARGS:
    tests/cloud/lab/lab {{ ARGS }}
