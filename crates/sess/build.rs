//! Links `sess` statically where the C library's archives are there.
//!
//! Starting a process is what most of `sess` costs, and a third of that is the
//! dynamic linker's; a holder without shared libraries also survives, and is not
//! reported by, an upgrade of the C library. Cargo can't ask for `crt-static` without
//! naming a target, as it would then apply to procedural macros as well. So the
//! names of the shared libraries that the compiler asks for are made to lead to the
//! archives. Whatever is missing for that (another C library, another target, a
//! distribution without archives), or `SESS_DYNAMIC` in the environment, leaves the
//! program dynamic; see docs/decisions/0009.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// What the compiler links with, and the archives it is in.
const LIBRARIES: [(&str, &[&str]); 3] = [
    ("libgcc_s.so", &["libgcc_eh.a", "libgcc.a", "libc.a"]),
    ("libm.so", &["libm.a"]),
    ("libc.so", &["libc.a", "libgcc_eh.a", "libgcc.a"]),
];

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=SESS_DYNAMIC");
    println!("cargo:rerun-if-env-changed=CC");
    let variable = |name: &str| env::var(name).unwrap_or_default();
    let suits = variable("CARGO_CFG_TARGET_OS") == "linux"
        && variable("CARGO_CFG_TARGET_ENV") == "gnu"
        && variable("TARGET") == variable("HOST")
        && !variable("CARGO_CFG_TARGET_FEATURE").split(',').any(|it| it == "crt-static")
        && env::var_os("SESS_DYNAMIC").is_none();
    if !suits {
        return;
    }
    let Some(scripts) = scripts() else {
        return;
    };
    let folder = PathBuf::from(variable("OUT_DIR"));
    for (name, text) in scripts {
        if let Err(error) = fs::write(folder.join(name), text) {
            panic!("can't write {}: {error}", folder.join(name).display());
        }
    }
    // At a fixed address there is nothing to relocate, so that holders share all
    // tables. For the program alone: a test, linked as ever, must not find them.
    println!("cargo:rustc-link-arg-bins=-L{}", folder.display());
    println!("cargo:rustc-link-arg-bins=-static");
    println!("cargo:rustc-link-arg-bins=-no-pie");
}

/// Linker scripts by the name of the library they stand for; `None` if an archive
/// is missing.
fn scripts() -> Option<Vec<(&'static str, String)>> {
    // What a program without a dynamic linker is started by.
    installed("crt1.o")?;
    // Before 2.34, threads were a library apart, which must not be linked in part.
    if installed("libpthread.so").is_some() {
        return None;
    }
    let script = |archives: &[&str]| {
        let paths: Option<Vec<String>> = archives.iter().map(|archive| quoted(archive)).collect();
        Some(format!("GROUP ( {} )\n", paths?.join(" ")))
    };
    LIBRARIES.iter().map(|(name, archives)| Some((*name, script(archives)?))).collect()
}

fn quoted(archive: &str) -> Option<String> {
    Some(format!("\"{}\"", installed(archive)?.to_str()?))
}

/// Where the C compiler has a file; it only repeats the name of one it hasn't.
fn installed(file: &str) -> Option<PathBuf> {
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler).arg(format!("-print-file-name={file}")).output().ok()?;
    let path = String::from_utf8(output.stdout).ok()?;
    let path = Path::new(path.trim_end());
    (path.is_absolute() && path.exists()).then(|| path.to_owned())
}
