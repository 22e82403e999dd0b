//! The same question, asked by many at the same moment, is one statement.

use std::{collections::VecDeque, fmt::Write as _};

use futures::FutureExt as _;
use sea_orm::{ConnectionTrait as _, DbErr, QueryResult, Statement};
use tokio::sync::{mpsc, oneshot};

use super::{
    Values,
    gathering::{gather, size_of_group},
    lanes::Lanes,
};
use crate::refusal::Fault;

const QUESTIONS_PER_STATEMENT: usize = 16;
const STATEMENTS_AT_ONCE: usize = 2;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// The columns of `asked` that a question gives values for.
    pub(crate) columns: &'static str,
    /// Goes on after `WITH asked (place, …)`: gives `place` and what is to be seen, for each row of `asked`.
    pub(crate) select: &'static str,
}

struct Question {
    look: &'static Look,
    values: Values,
    answer: oneshot::Sender<Result<Option<QueryResult>, Fault>>,
}

#[derive(Clone)]
pub(super) struct Looks {
    queue: mpsc::Sender<Question>,
}

impl Looks {
    pub(super) fn over(lanes: Lanes) -> Self {
        let ask = move |questions| {
            let lanes = lanes.clone();
            async move { ask(&lanes, questions).await }.boxed()
        };
        Self { queue: gather(STATEMENTS_AT_ONCE, alike, ask) }
    }

    /// The first row that the question is answered with.
    pub(super) async fn at(&self, look: &'static Look, values: Values) -> Result<Option<QueryResult>, Fault> {
        let (answer, answered) = oneshot::channel();
        let stopped = || Fault::unavailable("nobody asks the database any more");
        self.queue.send(Question { look, values, answer }).await.map_err(|_| stopped())?;
        answered.await.map_err(|_| stopped())?
    }
}

/// The first and those that ask the same.
fn alike(waiting: &mut VecDeque<Question>) -> Vec<Question> {
    let fitting = waiting.iter().take_while(|question| question.look == waiting[0].look).count();
    waiting.drain(..size_of_group(fitting, QUESTIONS_PER_STATEMENT)).collect()
}

async fn ask(lanes: &Lanes, questions: Vec<Question>) {
    match rows(lanes, &questions).await {
        Ok(rows) => {
            for (question, row) in questions.into_iter().zip(rows) {
                let _ = question.answer.send(Ok(row));
            }
        }
        Err(error) => {
            let fault = error.to_string();
            for question in questions {
                let _ = question.answer.send(Err(Fault::unavailable(format!("database: {fault}"))));
            }
        }
    }
}

async fn rows(lanes: &Lanes, questions: &[Question]) -> Result<Vec<Option<QueryResult>>, DbErr> {
    let mut answers: Vec<Option<QueryResult>> = questions.iter().map(|_| None).collect();
    let statement = Statement::from_sql_and_values(lanes.get_database_backend(), sql(questions), values(questions));
    for row in lanes.query_all_raw(statement).await? {
        let place: i32 = row.try_get("", "place")?;
        let answer = usize::try_from(place).ok().and_then(|place| answers.get_mut(place));
        if let Some(answer @ None) = answer {
            *answer = Some(row);
        }
    }
    Ok(answers)
}

fn sql(questions: &[Question]) -> String {
    let Look { columns, select } = questions[0].look;
    let mut sql = format!("WITH asked (place, {columns}) AS (VALUES ");
    let mut placeholder = 0;
    for (place, question) in questions.iter().enumerate() {
        let _ = write!(sql, "{}({place}", if place == 0 { "" } else { ", " });
        for _ in &question.values {
            placeholder += 1;
            let _ = write!(sql, ", ${placeholder}");
        }
        sql.push(')');
    }
    let _ = write!(sql, ") {select}");
    sql
}

fn values(questions: &[Question]) -> Values {
    questions.iter().flat_map(|question| question.values.iter().cloned()).collect()
}
