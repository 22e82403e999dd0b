use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use qingfeng_core::{
    cache::{Cache, MemoryCache, RedisCache},
    clock::{Clock, SystemClock},
};
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
async fn a_slot_that_is_given_back_is_free_again(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let (cache, _) = cache(engine).await;
    let key = key("guesses");
    // Where nothing was counted there is nothing to give back.
    cache.give_back_slot(&key).await.unwrap();
    for _ in 0..2 {
        assert_eq!(cache.take_slot(&key, 2, MINUTE).await.unwrap(), None);
    }
    assert!(cache.take_slot(&key, 2, MINUTE).await.unwrap().is_some());
    cache.give_back_slot(&key).await.unwrap();
    assert_eq!(cache.take_slot(&key, 2, MINUTE).await.unwrap(), None);
    assert!(cache.take_slot(&key, 2, MINUTE).await.unwrap().is_some(), "one was given back, not both");
}

/// The machine's clock, and who sets it: so much it is wrong.
#[derive(Default)]
struct WrongClock(Mutex<TimeDelta>);

impl Clock for WrongClock {
    fn now(&self) -> DateTime<Utc> {
        SystemClock.now() + *self.0.lock().unwrap()
    }
}

#[rstest]
#[tokio::test]
async fn replicas_whose_clocks_are_wrong_pass_no_limit_together(
    #[values(CacheEngine::Memory, CacheEngine::Redis)] engine: CacheEngine,
) {
    let wrong = Arc::new(WrongClock::default());
    let clock: Arc<dyn Clock> = wrong.clone();
    let cache: Arc<dyn Cache> = match engine {
        CacheEngine::Memory => Arc::new(MemoryCache::new(clock)),
        CacheEngine::Redis => {
            let url = std::env::var("QINGFENG_TEST_REDIS").unwrap_or("redis://127.0.0.1:6379".into());
            Arc::new(RedisCache::connect(&url, clock).await.expect("Redis answers; see README"))
        }
    };
    let key = key("robot");
    let mut let_through = 0;
    for seconds in [0, 30, 61, -61, 3600].into_iter().cycle().take(60) {
        *wrong.0.lock().unwrap() = TimeDelta::seconds(seconds);
        match cache.take_slot(&key, 20, MINUTE).await.unwrap() {
            None => let_through += 1,
            Some(wait) => assert!(wait <= MINUTE, "told as a span, because the clocks do not agree: {wait:?}"),
        }
    }
    assert_eq!(let_through, 20);
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
