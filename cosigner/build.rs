//! The app's folder is looked up when the program is compiled: it has to be there, though it may still be empty.

fn main() {
    let folder = "../app/dist/h5";
    if let Err(error) = std::fs::create_dir_all(folder) {
        println!("cargo:warning={folder}: {error}");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
