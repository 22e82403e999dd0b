use qingfeng_core::files::{self, FileStore, name_of};
use std::sync::Arc;
use tempfile::TempDir;

fn local() -> (Arc<dyn FileStore>, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = files::open(&format!("file://{}", folder.path().join("files").display())).unwrap();
    (store, folder)
}

#[tokio::test]
async fn what_is_kept_is_found_under_the_digest_of_its_bytes_until_it_is_removed() {
    let (store, _folder) = local();
    let name = store.put(b"picture".to_vec()).await.unwrap();
    assert_eq!(name, name_of(b"picture"));
    assert_eq!(store.put(b"picture".to_vec()).await.unwrap(), name, "the same bytes are kept once");
    assert_eq!(store.get(&name).await.unwrap().as_deref(), Some(&b"picture"[..]));
    store.remove(&name).await.unwrap();
    store.remove(&name).await.unwrap();
    assert_eq!(store.get(&name).await.unwrap(), None);
}

#[tokio::test]
async fn a_name_that_is_no_digest_never_becomes_a_path() {
    let (store, folder) = local();
    std::fs::write(folder.path().join("secret"), "secret").unwrap();
    for name in ["../secret", "/etc/passwd", "", "zz", &"A".repeat(64)] {
        assert_eq!(store.get(name).await.unwrap(), None, "{name}");
        store.remove(name).await.unwrap();
    }
    assert!(folder.path().join("secret").exists());
}

#[test]
fn an_address_of_another_kind_is_refused() {
    assert!(files::open("ftp://somewhere").is_err());
    assert!(files::open("s3://bucket?unknown=setting").is_err());
}
