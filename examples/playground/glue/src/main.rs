//! Writes the JavaScript beside a compiled module: what the tool `wasm-bindgen` does, as a library
//! at the version of the lock file, so that the two cannot differ. The module is put in an order in
//! which it is compressed well. Texts of the crate that a page only shows are files beside it.

mod order;
mod positions;
mod texts;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("glue: give the compiled module and the folder to write to");
        return ExitCode::FAILURE;
    };
    match make(module, folder).and_then(|()| texts::write(Path::new(folder))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glue: {error}");
            ExitCode::FAILURE
        }
    }
}

fn make(module: &str, folder: &str) -> Result<(), String> {
    let mut glue = Bindgen::new();
    let made = glue
        .input_path(module)
        .remove_producers_section(true)
        .web(true)
        .and_then(|glue| glue.typescript(false).generate(folder));
    made.map_err(|error| format!("{error:#}"))?;
    let name = Path::new(module).file_stem().unwrap_or_default().to_string_lossy();
    let path = Path::new(folder).join(format!("{name}_bg.wasm"));
    let ordered = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let ordered = order::by_names(&ordered).map_err(|error| format!("{}: {error}", path.display()))?;
    let bare = positions::without(&ordered).map_err(|error| format!("{}: {error}", path.display()))?;
    fs::write(&path, bare).map_err(|error| format!("{}: {error}", path.display()))
}
