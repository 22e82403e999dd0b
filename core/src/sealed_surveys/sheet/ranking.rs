use super::{Hundredths, Row};

/// Contests rows whose place hangs on envelopes that nobody opens: what these could say reaches to where another row stands.
/// A reach is the lowest and the highest score of a row.
pub(super) fn contest<Key>(rows: &mut [(Key, Row)], reaches: &[Option<(Hundredths, Hundredths)>]) {
    let meets = |one: usize, other: usize| {
        let (Some(one), Some(other)) = (reaches[one], reaches[other]) else { return false };
        one.0 <= other.1 && other.0 <= one.1
    };
    let scored: Vec<bool> =
        rows.iter().map(|(_, row)| !row.is_sum && row.is_valid == Some(true) && row.score.is_some()).collect();
    for number in (0..rows.len()).filter(|number| scored[*number]) {
        let row = &mut rows[number].1;
        let meets_another = (0..scored.len()).any(|other| other != number && scored[other] && meets(number, other));
        if row.unopenable.unwrap_or(0) + row.withheld.unwrap_or(0) > 0 && meets_another && !row.is_contested {
            row.is_contested = true;
            row.proposed_grade = None;
            row.notes.push("打不开或者封存的信封会左右名次，结果有争议，核清之前不排名。".into());
        }
    }
}

/// Gives ranks by the score as shown, so that equal figures have equal ranks (1, 1, 3), and puts the ranked rows first.
/// Rows without a score, and sums, have no rank and keep the order in which they came, which tells nothing. One alone is not first.
pub(super) fn rank<Key>(rows: &mut [(Key, Row)]) {
    let is_ranked = |row: &Row| !row.is_sum && !row.is_contested && row.is_valid == Some(true) && row.score.is_some();
    // The best score first; of the others the key says nothing.
    let best_first = |row: &Row| row.score.filter(|_| is_ranked(row)).map(std::cmp::Reverse);
    rows.sort_by_key(|(_, row)| (row.is_sum, !is_ranked(row), best_first(row)));
    if rows.iter().filter(|(_, row)| is_ranked(row)).count() < 2 {
        return;
    }
    let mut last = None;
    for (position, (_, row)) in (1..).zip(rows.iter_mut()).filter(|(_, (_, row))| is_ranked(row)) {
        let rank = match last {
            Some((score, rank)) if score == row.score => rank,
            _ => position,
        };
        last = Some((row.score, rank));
        row.rank = Some(rank);
    }
}
