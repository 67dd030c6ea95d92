//! Writes the seeds of a target into a folder: `corpus ROOT TARGET FOLDER`.

use libfuzzer_sys as _; // What is instrumented calls it.

fn main() -> std::io::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [root, target, folder] = &*args else {
        return Err(std::io::Error::other("usage: corpus ROOT TARGET FOLDER"));
    };
    for (place, seed) in chatflow_fuzz::seeds(root.as_ref(), target).into_iter().enumerate() {
        std::fs::write(std::path::Path::new(folder).join(format!("seed-{place}")), seed)?;
    }
    Ok(())
}
