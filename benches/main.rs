//! What sess costs, beside its peers.

fn main() {}
