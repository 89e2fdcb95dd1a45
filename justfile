# List the recipes
default:
    @just --list

# Everything that CI runs
ci:
    .ci/run

# Build and run the main job
run *ARGS:
    cargo run --release -- {{ARGS}}

# Run the tests
test *ARGS:
    cargo test --workspace {{ARGS}}

# Run the end-to-end tests N times in a row, with both processors busy
stress N='50' *ARGS:
    #!/bin/bash
    set -e
    trap 'kill $(jobs -p)' EXIT
    for _ in $(seq "$(nproc)"); do while :; do :; done & done
    for n in $(seq {{N}}); do echo "round $n"; cargo test -p sess --test e2e -- {{ARGS}}; done

# Throw arbitrary input at the terminal model, other than last time
storm SECONDS='60':
    cargo run --release -p sess-screen --example storm -- {{SECONDS}} "$(date +%s)000"

# Measure beside the peers that are installed
bench *ARGS:
    cargo bench -p sess --bench peers -- {{ARGS}}

# Format, and let clippy mend what it can
tidy:
    cargo fmt --all
    cargo clippy --workspace --all-targets --fix --allow-dirty

# Check licences and advisories of the dependencies
deny:
    cargo deny check
