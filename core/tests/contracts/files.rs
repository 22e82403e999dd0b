use std::{path::PathBuf, sync::Arc};

use qingfeng_core::{
    files::{self, FileStore, name_of},
    refusal::Fault,
};
use rstest::rstest;
use tempfile::TempDir;

use crate::object_storage::ObjectStorage;

#[derive(Clone, Copy, Debug)]
enum FileEngine {
    Local,
    ObjectStorage,
}

/// A store of its own for a test, and the folder in which it keeps its things.
struct Fixture {
    store: Arc<dyn FileStore>,
    folder: PathBuf,
    _local: Option<TempDir>,
    _server: Option<ObjectStorage>,
}

async fn fixture(engine: FileEngine) -> Fixture {
    match engine {
        FileEngine::Local => {
            let folder = tempfile::tempdir().unwrap();
            let store = files::open(&format!("file://{}", folder.path().join("files").display())).unwrap();
            Fixture { store, folder: folder.path().to_owned(), _local: Some(folder), _server: None }
        }
        FileEngine::ObjectStorage => {
            let server = ObjectStorage::start().await;
            Fixture { store: server.files(), folder: server.folder().to_owned(), _local: None, _server: Some(server) }
        }
    }
}

#[rstest]
#[tokio::test]
async fn what_is_kept_is_found_under_the_digest_of_its_bytes_until_it_is_removed(
    #[values(FileEngine::Local, FileEngine::ObjectStorage)] engine: FileEngine,
) {
    let fixture = fixture(engine).await;
    let store = &fixture.store;
    let name = store.put(b"picture".to_vec()).await.unwrap();
    assert_eq!(name, name_of(b"picture"));
    assert_eq!(store.put(b"picture".to_vec()).await.unwrap(), name, "the same bytes are kept once");
    assert_eq!(store.get(&name).await.unwrap().as_deref(), Some(&b"picture"[..]));
    store.remove(&name).await.unwrap();
    store.remove(&name).await.unwrap();
    assert_eq!(store.get(&name).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn a_photo_of_full_size_comes_back_as_it_was(
    #[values(FileEngine::Local, FileEngine::ObjectStorage)] engine: FileEngine,
) {
    let fixture = fixture(engine).await;
    let photo: Vec<u8> =
        (0..8 * 1024 * 1024_u32).map(|place| (place.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let name = fixture.store.put(photo.clone()).await.unwrap();
    assert!(fixture.store.get(&name).await.unwrap() == Some(photo));
    let empty = fixture.store.put(Vec::new()).await.unwrap();
    assert_eq!(fixture.store.get(&empty).await.unwrap(), Some(Vec::new()));
}

#[rstest]
#[tokio::test]
async fn the_same_photo_from_many_phones_at_once_is_kept(
    #[values(FileEngine::Local, FileEngine::ObjectStorage)] engine: FileEngine,
) {
    let fixture = fixture(engine).await;
    let uploads = (0..16).map(|_| fixture.store.put(b"the same lamp".to_vec()));
    let names = futures::future::join_all(uploads).await;
    assert!(names.into_iter().all(|name| name.unwrap() == name_of(b"the same lamp")));
    assert!(fixture.store.get(&name_of(b"the same lamp")).await.unwrap().is_some());
}

#[rstest]
#[tokio::test]
async fn a_name_that_is_no_digest_never_becomes_a_path(
    #[values(FileEngine::Local, FileEngine::ObjectStorage)] engine: FileEngine,
) {
    let fixture = fixture(engine).await;
    std::fs::write(fixture.folder.join("secret"), "secret").unwrap();
    for name in ["../secret", "/etc/passwd", "", "zz", &"A".repeat(64)] {
        assert_eq!(fixture.store.get(name).await.unwrap(), None, "{name}");
        fixture.store.remove(name).await.unwrap();
    }
    assert!(fixture.folder.join("secret").exists());
}

#[tokio::test]
async fn object_storage_that_refuses_or_is_away_is_out_of_order_and_says_no_secret() {
    let server = ObjectStorage::start().await;
    let refused = server.with_wrong_secret();
    let fault = refused.put(b"picture".to_vec()).await.unwrap_err();
    assert_eq!(fault.to_string(), "object storage: access denied");
    assert!(refused.get(&name_of(b"picture")).await.is_err(), "refused is not the same as not there");
    let kept = server.files();
    let name = kept.put(b"picture".to_vec()).await.unwrap();
    server.stop().await;
    for fault in [kept.put(b"other".to_vec()).await.unwrap_err(), kept.get(&name).await.map(|_| ()).unwrap_err()] {
        let text = fault.to_string();
        assert!(matches!(fault, Fault::Unavailable(_)) && !text.contains("127.0.0.1"), "{text}");
    }
}

#[test]
fn an_address_of_another_kind_is_refused() {
    assert!(files::open("ftp://somewhere").is_err());
    assert!(files::open("s3://bucket?unknown=setting").is_err());
}
