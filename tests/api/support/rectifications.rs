use chrono::TimeDelta;
use qingfeng_core::ids::ResidentId;
use serde_json::{Value, json};

use super::{Answer, Cast, Person, TestServer};

/// A village whose residents are to judge an item.
pub struct Scene<'a> {
    pub cast: Cast<'a>,
    pub residents: Vec<(Person, ResidentId)>,
}

impl<'a> Scene<'a> {
    pub async fn of(server: &'a TestServer, residents: usize) -> Self {
        let cast = Cast::of(server).await;
        let mut people = Vec::new();
        for _ in 0..residents {
            people.push(cast.township.resident(cast.village).await);
        }
        Self { cast, residents: people }
    }

    pub async fn problem(&self) -> Value {
        let body = json!({
            "village_id": self.cast.village.id, "way": "residents", "category": "cold-faced", "words": "反映了几次路灯没人管",
        });
        self.cast.office.post("/api/problems", body).await.ok()["id"].clone()
    }

    pub async fn created(&self) -> String {
        let affected: Vec<_> = self.residents.iter().map(|(_, id)| *id).collect();
        let body = json!({
            "village_id": self.cast.village.id, "problem_ids": [self.problem().await], "title": "村口路灯整改",
            "goal": "村口夜里看得见路", "measures": ["换三盏路灯", "每月巡查"], "pace": "immediate",
            "due_on": "2026-04-10", "lead_unit_id": self.cast.village.id, "affected": affected,
        });
        let created = self.cast.office.post("/api/rectifications", body).await.ok();
        format!("/api/rectifications/{}", created["id"].as_str().unwrap())
    }

    pub async fn secretary(&self, path: &str, act: &str, body: Value) -> Answer {
        self.cast.secretary.post(&format!("{path}/{act}"), body).await
    }

    pub async fn office(&self, path: &str, act: &str, body: Value) -> Answer {
        self.cast.office.post(&format!("{path}/{act}"), body).await
    }

    pub async fn published(&self) -> String {
        let path = self.created().await;
        self.secretary(&path, "publication", json!({"commitment": "四月十日前修好，修不好我负责"})).await.ok();
        path
    }

    pub async fn evaluating(&self, path: &str) {
        self.secretary(path, "completion", json!({"text": "三盏灯都亮了"})).await.ok();
        let today =
            qingfeng_core::clock::shanghai_date(qingfeng_core::clock::Clock::now(&*self.cast.township.server.clock));
        let closes_on = today + TimeDelta::days(5);
        self.office(path, "evaluation", json!({"closes_on": closes_on})).await.ok();
    }

    pub async fn judge(&self, path: &str, levels: &[&str]) {
        for ((person, _), level) in self.residents.iter().zip(levels) {
            person.post(&format!("{path}/evaluations"), json!({"level": level})).await.ok();
        }
    }

    pub async fn verdict(&self, path: &str) -> Answer {
        self.cast.township.server.clock.advance(TimeDelta::days(6));
        self.office(path, "verdict", json!({})).await
    }

    pub async fn state(&self, path: &str) -> Value {
        self.cast.office.get(path).await.ok()["state"].clone()
    }
}
