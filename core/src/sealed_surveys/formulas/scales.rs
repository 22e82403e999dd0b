use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Exact, share_of};

/// The levels among which an answer is chosen, from best to worst.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::EnumIter, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = AnswerScale)]
pub enum Scale {
    /// 优秀、称职、基本称职、不称职: persons.
    Competence,
    /// 好、较好、一般、差: teams and single points.
    Quality,
    /// 满意、基本满意、不满意、不了解: the public.
    Satisfaction,
    /// 满意、基本满意、不满意.
    SatisfactionOfThree,
    /// 非常满意 to 非常不满意; the last two count as dissatisfied.
    SatisfactionOfFive,
    /// 有、没有、不了解: a list of what is to be checked. No score comes of it.
    Presence,
}

/// A share of the valid answers that has a name of its own, e.g. 优秀率.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub label: &'static str,
    /// Positions of the options that count, from one.
    counted: &'static [usize],
}

struct Levels {
    labels: &'static [&'static str],
    /// How many of the labels, from the first, are answers; the rest say that somebody does not know.
    valid: usize,
    rates: &'static [Rate],
}

const fn rate(label: &'static str, counted: &'static [usize]) -> Rate {
    Rate { label, counted }
}

impl Scale {
    /// Words and rates (rates: 优秀率 = best, 称职以上率 = the two best, 满意率 = satisfied and basically satisfied).
    fn levels(self) -> Levels {
        match self {
            Self::Competence => Levels {
                labels: &["优秀", "称职", "基本称职", "不称职"],
                valid: 4,
                rates: const { &[rate("优秀率", &[1]), rate("称职以上率", &[1, 2]), rate("不称职率", &[4])] },
            },
            Self::Quality => Levels {
                labels: &["好", "较好", "一般", "差"],
                valid: 4,
                rates: const { &[rate("好评率", &[1]), rate("较好以上率", &[1, 2]), rate("差评率", &[4])] },
            },
            Self::Satisfaction => Levels {
                labels: &["满意", "基本满意", "不满意", "不了解"],
                valid: 3,
                rates: const { &[rate("满意率", &[1, 2]), rate("不满意率", &[3])] },
            },
            Self::SatisfactionOfThree => Levels {
                labels: &["满意", "基本满意", "不满意"],
                valid: 3,
                rates: const { &[rate("满意率", &[1, 2]), rate("不满意率", &[3])] },
            },
            Self::SatisfactionOfFive => Levels {
                labels: &["非常满意", "满意", "基本满意", "不满意", "非常不满意"],
                valid: 5,
                rates: const { &[rate("满意率", &[1, 2, 3]), rate("不满意率", &[4, 5])] },
            },
            Self::Presence => {
                Levels {
                    labels: &["有", "没有", "不了解"], valid: 2, rates: const { &[rate("选“有”的比例", &[1])] }
                }
            }
        }
    }

    /// The scale with exactly these words, as a plan file lists them.
    #[must_use]
    pub fn of_labels(labels: &[String]) -> Option<Self> {
        use strum::IntoEnumIterator;
        Self::iter().find(|scale| scale.labels() == labels)
    }

    #[must_use]
    pub fn labels(self) -> &'static [&'static str] {
        self.levels().labels
    }

    /// Which shares are told of it.
    #[must_use]
    pub fn rates(self) -> &'static [Rate] {
        self.levels().rates
    }

    /// Answers that count: neither none nor 不了解. `counts` begins with "no answer".
    #[must_use]
    pub fn valid(self, counts: &[u32]) -> u32 {
        counts.iter().skip(1).take(self.levels().valid).sum()
    }

    /// The share of valid answers that the rate counts; none when nobody gave a valid answer.
    #[must_use]
    pub fn rate(self, rate: Rate, counts: &[u32]) -> Option<Exact> {
        let counted = rate.counted.iter().filter_map(|position| counts.get(*position)).sum();
        share_of(counted, self.valid(counts))
    }
}
