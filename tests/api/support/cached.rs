//! What somebody reads who reads the cache.

use redis::AsyncCommands as _;

use super::TestServer;

/// Every key of the server's Redis with what is kept under it: values, and the members of windows.
pub async fn everything_cached(server: &TestServer) -> Vec<(String, Vec<u8>)> {
    let url = server.application.config.cache.redis_url.clone().expect("a server with Redis");
    let mut redis = redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap();
    let keys: Vec<String> = redis.keys("*").await.unwrap();
    let mut entries = Vec::new();
    for key in keys {
        // One kind refuses the other's question; what has gone meanwhile has nothing.
        let value: Option<Vec<u8>> = redis.get(&key).await.unwrap_or_default();
        let members: Vec<String> = redis.zrange(&key, 0, -1).await.unwrap_or_default();
        entries.push((key, [value.unwrap_or_default(), members.join("\n").into_bytes()].concat()));
    }
    entries
}
