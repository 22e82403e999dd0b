//! The templates of the account as the platform lists them (`gettemplate`).

use serde_json::Value;

use crate::channels::exchange;

/// `type` of a template: one accept for one message, or for all until it is withdrawn.
const ONE_TIME: i64 = 2;
const LONG_TERM: i64 = 3;

/// A template of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedTemplate {
    pub id: String,
    pub title: String,
    /// None where the platform names a type that we do not know.
    pub is_long_term: Option<bool>,
    pub keys: Vec<ListedKey>,
}

/// One of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    pub name: String,
    pub label: String,
    /// The values that it may have; none where it may have any of its type.
    pub choices: Option<Vec<String>>,
}

impl ListedTemplate {
    /// All templates of an answer: the mini-program's.
    pub(crate) fn all(answer: &Value) -> Vec<Self> {
        answer["data"].as_array().into_iter().flatten().map(|listed| Self::of("priTmplId", listed)).collect()
    }

    /// The same of the official account's, which are of no type.
    pub(crate) fn all_of_official_account(answer: &Value) -> Vec<Self> {
        answer["template_list"].as_array().into_iter().flatten().map(|listed| Self::of("template_id", listed)).collect()
    }

    fn of(id: &str, listed: &Value) -> Self {
        let text = |field: &str| listed[field].as_str().unwrap_or_default();
        let key = |(label, name): (&str, &str)| ListedKey {
            name: name.to_owned(),
            label: label.to_owned(),
            choices: choices(&listed["keywordEnumValueList"], name),
        };
        Self {
            id: text(id).to_owned(),
            title: text("title").to_owned(),
            is_long_term: match exchange::code(listed, "type") {
                Some(ONE_TIME) => Some(false),
                Some(LONG_TERM) => Some(true),
                _ => None,
            },
            keys: labels_and_keys(text("content")).into_iter().map(key).collect(),
        }
    }
}

/// Of `事项:{{thing1.DATA}}\n期限:{{date2.DATA}}\n`.
fn labels_and_keys(content: &str) -> Vec<(&str, &str)> {
    content
        .split_inclusive("}}")
        .filter_map(|part| {
            let (label, rest) = part.split_once("{{")?;
            let key = rest.strip_suffix("}}")?.trim();
            Some((label.trim().trim_end_matches([':', '：']).trim(), key.strip_suffix(".DATA").unwrap_or(key)))
        })
        .collect()
}

/// Of `[{"keywordCode": "enum1.DATA", "enumValueList": ["满意", "不满意"]}]`; the code also comes without its end.
fn choices(lists: &Value, key: &str) -> Option<Vec<String>> {
    let of_key = |list: &&Value| {
        let code = list["keywordCode"].as_str().unwrap_or_default();
        code.strip_suffix(".DATA").unwrap_or(code) == key
    };
    let values = lists.as_array()?.iter().find(of_key)?["enumValueList"].as_array()?;
    Some(values.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_list_is_read_as_the_platform_writes_it() {
        let answer = json!({"errcode": 0, "errmsg": "ok", "data": [
            {
                "priTmplId": "T-1", "title": "待办提醒", "type": 2, "example": "事项:示例\n",
                "content": "事项:{{thing2.DATA}}\n截止时间:{{time5.DATA}}\n处理结果：{{ enum3.DATA }}\n",
                "keywordEnumValueList": [{"keywordCode": "enum3.DATA", "enumValueList": ["待办", "已办"]}],
            },
            {"priTmplId": "T-2", "title": "进展", "type": "3", "content": "进展:{{thing1.DATA}}", "new": true},
            {"priTmplId": "T-3", "type": 9},
        ]});
        let key = |name: &str, label: &str, choices: Option<&[&str]>| ListedKey {
            name: name.to_owned(),
            label: label.to_owned(),
            choices: choices.map(|choices| choices.iter().map(|&choice| choice.to_owned()).collect()),
        };
        let [first, second, third] = <[ListedTemplate; 3]>::try_from(ListedTemplate::all(&answer)).unwrap();
        assert_eq!((first.id.as_str(), first.title.as_str(), first.is_long_term), ("T-1", "待办提醒", Some(false)));
        assert_eq!(
            first.keys,
            [
                key("thing2", "事项", None),
                key("time5", "截止时间", None),
                key("enum3", "处理结果", Some(&["待办", "已办"]))
            ]
        );
        assert_eq!((second.is_long_term, second.keys), (Some(true), vec![key("thing1", "进展", None)]));
        assert_eq!((third.is_long_term, third.keys), (None, Vec::new()));
    }

    #[test]
    fn the_official_accounts_list_names_its_templates_in_another_way() {
        let answer = json!({"template_list": [
            {"template_id": "T-1", "title": "进展", "primary_industry": "政府", "content": "进展:{{thing1.DATA}}\n时间:{{time2.DATA}}"},
        ]});
        let listed = ListedTemplate::all_of_official_account(&answer);
        assert_eq!((listed[0].id.as_str(), listed[0].is_long_term, listed[0].keys.len()), ("T-1", None, 2));
    }

    #[test]
    fn an_answer_without_a_list_has_no_templates() {
        assert!(ListedTemplate::all(&json!({"errcode": 0})).is_empty());
        assert!(ListedTemplate::all_of_official_account(&json!({"errcode": 0})).is_empty());
    }
}
