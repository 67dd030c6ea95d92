//! Writes the JavaScript beside a compiled module: what the tool `wasm-bindgen` does, as a library
//! at the version of the lock file, so that the two cannot differ.

use std::env;
use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [module, folder] = arguments.as_slice() else {
        eprintln!("glue: give the compiled module and the folder to write to");
        return ExitCode::FAILURE;
    };
    let mut glue = Bindgen::new();
    let made = glue
        .input_path(module)
        .remove_name_section(true)
        .remove_producers_section(true)
        .web(true)
        .and_then(|glue| glue.typescript(false).generate(folder));
    match made {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("glue: {error:#}");
            ExitCode::FAILURE
        }
    }
}
