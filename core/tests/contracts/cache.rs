use std::time::Duration;

use chrono::TimeDelta;
use rstest::rstest;

use crate::engines::{CacheEngine, cache};

/// Redis outlives a test: each test has keys of its own.
fn key(name: &str) -> String {
    format!("test:{}:{name}", uuid::Uuid::new_v4())
}

const MINUTE: Duration = Duration::from_secs(60);

#[rstest]
#[tokio::test]
async fn what_is_set_can_be_read_until_it_is_removed(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let (cache, _) = cache(engine).await;
    let key = key("value");
    assert_eq!(cache.get(&key).await.unwrap(), None);
    cache.set(&key, "清风".as_bytes(), MINUTE).await.unwrap();
    assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some("清风".as_bytes()));
    cache.remove(&key).await.unwrap();
    assert_eq!(cache.get(&key).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn only_the_first_sets_an_absent_key(#[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine) {
    let (cache, _) = cache(engine).await;
    let key = key("absent");
    assert!(cache.set_if_absent(&key, b"first", MINUTE).await.unwrap());
    assert!(!cache.set_if_absent(&key, b"second", MINUTE).await.unwrap());
    assert_eq!(cache.get(&key).await.unwrap().as_deref(), Some(&b"first"[..]));
}

#[rstest]
#[tokio::test]
async fn a_value_is_removed_only_if_it_is_still_the_one_meant(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let (cache, _) = cache(engine).await;
    let key = key("token");
    cache.set(&key, b"new", MINUTE).await.unwrap();
    assert!(!cache.remove_if(&key, b"old").await.unwrap());
    assert!(cache.remove_if(&key, b"new").await.unwrap());
    assert!(!cache.remove_if(&key, b"new").await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_rolling_window_takes_just_its_limit(#[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine) {
    let (cache, clock) = cache(engine).await;
    let key = key("robot");
    for _ in 0..20 {
        assert_eq!(cache.take_slot(&key, 20, MINUTE).await.unwrap(), None);
    }
    clock.advance(TimeDelta::seconds(20));
    assert_eq!(cache.take_slot(&key, 20, MINUTE).await.unwrap(), Some(Duration::from_secs(40)));
    clock.advance(TimeDelta::seconds(40));
    assert_eq!(cache.take_slot(&key, 20, MINUTE).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn several_events_find_room_together_or_none_of_them_is_counted(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let (cache, clock) = cache(engine).await;
    let key = key("robot");
    assert_eq!(cache.take_slots(&key, 3, 5, MINUTE).await.unwrap(), None);
    clock.advance(TimeDelta::seconds(10));
    assert_eq!(cache.take_slot(&key, 5, MINUTE).await.unwrap(), None);
    // Two of the first three are in the way, and they leave together.
    assert_eq!(cache.take_slots(&key, 3, 5, MINUTE).await.unwrap(), Some(Duration::from_secs(50)));
    // What found no room took none.
    assert_eq!(cache.take_slot(&key, 5, MINUTE).await.unwrap(), None);
    assert_eq!(cache.take_slots(&key, 5, 5, MINUTE).await.unwrap(), Some(Duration::from_secs(60)));
    clock.advance(TimeDelta::seconds(50));
    assert_eq!(cache.take_slots(&key, 3, 5, MINUTE).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn one_holder_leads_until_it_gives_the_lease_back(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let (cache, _) = cache(engine).await;
    let name = key("leader");
    assert!(cache.lease(&name, "first", MINUTE).await.unwrap());
    assert!(cache.lease(&name, "first", MINUTE).await.unwrap());
    assert!(!cache.lease(&name, "second", MINUTE).await.unwrap());
    cache.release(&name, "second").await.unwrap();
    assert!(!cache.lease(&name, "second", MINUTE).await.unwrap());
    cache.release(&name, "first").await.unwrap();
    assert!(cache.lease(&name, "second", MINUTE).await.unwrap());
}
