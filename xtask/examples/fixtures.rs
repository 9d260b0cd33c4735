#![allow(dead_code)]
#[path = "../src/debian.rs"]
mod debian;
#[path = "../src/images.rs"]
mod images;
fn repository() -> std::path::PathBuf {
    std::path::PathBuf::from("/work/main")
}
fn main() -> anyhow::Result<()> {
    images::fixtures(std::path::Path::new("/work/main/target"))
}
