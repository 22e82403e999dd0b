//! The sheet as a workbook: results, groups, and how they came about. It takes nothing but the view, so that it cannot show
//! more.

use qingfeng_core::{
    refusal::Fault,
    sealed_surveys::{
        formulas::Hundredths,
        results::SheetView,
        sheet::{GroupLine, Row},
        suppression::PaperAccount,
    },
};
use rust_xlsxwriter::{Format, Workbook, Worksheet, XlsxError};

/// What stands where a figure is left out.
const LEFT_OUT: &str = "不公布";
/// Of a rank or a score that there is not.
const NONE: &str = "—";

pub(super) fn of(view: &SheetView) -> Result<Vec<u8>, Fault> {
    write(view).map_err(Fault::unavailable)
}

fn write(view: &SheetView) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    results(workbook.add_worksheet(), view, &bold)?;
    groups(workbook.add_worksheet(), view, &bold)?;
    explanation(workbook.add_worksheet(), view, &bold)?;
    workbook.save_to_buffer()
}

/// A sheet that is written line by line.
struct Lines<'a> {
    sheet: &'a mut Worksheet,
    row: u32,
}

impl Lines<'_> {
    fn write(&mut self, cells: impl IntoIterator<Item = Cell>) -> Result<(), XlsxError> {
        for (column, cell) in (0..).zip(cells) {
            match cell {
                Cell::Number(number) => self.sheet.write_number(self.row, column, number)?,
                // Written as a string, so that no text of ours or of others is taken for a formula.
                Cell::Text(text) => self.sheet.write_string(self.row, column, text)?,
            };
        }
        self.row += 1;
        Ok(())
    }
}

enum Cell {
    Number(f64),
    Text(String),
}

fn text(text: impl Into<String>) -> Cell {
    Cell::Text(text.into())
}

fn count(count: Option<u32>) -> Cell {
    count.map_or_else(|| text(LEFT_OUT), |count| Cell::Number(f64::from(count)))
}

/// Two decimals as they are shown; the cell holds the shown number, not the one before rounding.
fn figure(figure: Option<Hundredths>) -> Cell {
    figure.map_or_else(|| text(NONE), |figure| text(figure.to_string()))
}

fn head<'a>(sheet: &'a mut Worksheet, name: &str, columns: Vec<String>, bold: &Format) -> Result<Lines<'a>, XlsxError> {
    sheet.set_name(name)?;
    for (column, title) in (0..).zip(columns) {
        sheet.write_string_with_format(0, column, title, bold)?;
        sheet.set_column_width(column, 14)?;
    }
    sheet.set_freeze_panes(1, 1)?;
    Ok(Lines { sheet, row: 1 })
}

fn results(sheet: &mut Worksheet, view: &SheetView, bold: &Format) -> Result<(), XlsxError> {
    let fixed =
        ["测评对象", "单位", "应参加", "领票", "计入票数", "得分", "建议等次", "排名", "上轮得分", "与上轮相比"];
    let mut columns: Vec<String> = fixed.map(str::to_owned).into();
    let questions = view.rows.first().map_or(&[][..], |row| &row.questions);
    for question in questions {
        columns.push(format!("{}：未答", question.text));
        columns.extend(question.options.iter().map(|option| format!("{}：{option}", question.text)));
        columns.push(format!("{}：得分", question.text));
        columns.push(format!("{}：比例", question.text));
    }
    columns.extend(["打不开的信封", "封存的信封", "纸票（印、领、收、废、丢）", "说明"].map(str::to_owned));
    let mut lines = head(sheet, "结果", columns, bold)?;
    for row in &view.rows {
        lines.write(result(row))?;
    }
    Ok(())
}

fn result(row: &Row) -> Vec<Cell> {
    let previous = row.previous.as_ref();
    let mut cells = vec![
        text(&row.label),
        text(&row.unit),
        count(Some(row.eligible)),
        count(row.issued),
        count(row.ballots),
        figure(row.score),
        text(row.proposed_grade.as_deref().unwrap_or(NONE)),
        row.rank.map_or_else(|| text(NONE), |rank| count(Some(rank))),
        figure(previous.and_then(|previous| previous.score)),
        figure(previous.and_then(|previous| previous.change)),
    ];
    for question in &row.questions {
        cells.extend(counts(question.counts.as_deref(), question.options.len()));
        cells.push(figure(question.score));
        let rates = question.rates.iter().map(|rate| format!("{}{}%", rate.label, rate.per_cent));
        let check = question.is_to_be_checked.then(|| "提示核查".to_owned());
        cells.push(text(rates.chain(check).collect::<Vec<_>>().join("，")));
    }
    let paper = row.paper.map_or_else(
        || NONE.to_owned(),
        |paper| {
            let voided = if paper.is_voided { "，数目对不上，全部作废" } else { "" };
            let PaperAccount { printed, drawn, returned, spoiled, lost, .. } = paper;
            format!("{printed}、{drawn}、{returned}、{spoiled}、{lost}{voided}")
        },
    );
    cells.extend([count(row.unopenable), count(row.withheld), text(paper), text(row.notes.concat())]);
    cells
}

fn counts(counts: Option<&[u32]>, options: usize) -> Vec<Cell> {
    (0..=options).map(|position| count(counts.and_then(|counts| counts.get(position)).copied())).collect()
}

fn groups(sheet: &mut Worksheet, view: &SheetView, bold: &Format) -> Result<(), XlsxError> {
    let mut columns: Vec<String> =
        ["测评对象", "单位", "票种", "权重", "应参加", "领票", "计入票数", "得分"].map(str::to_owned).into();
    let questions = view.rows.first().map_or(&[][..], |row| &row.questions);
    for question in questions {
        columns.push(format!("{}：未答", question.text));
        columns.extend(question.options.iter().map(|option| format!("{}：{option}", question.text)));
    }
    let mut lines = head(sheet, "票种", columns, bold)?;
    for row in &view.rows {
        for line in &row.groups {
            lines.write(group(view, row, line))?;
        }
    }
    Ok(())
}

fn group(view: &SheetView, row: &Row, line: &GroupLine) -> Vec<Cell> {
    let weight = view.head.groups.iter().find(|weighed| weighed.group == line.group);
    let mut cells = vec![
        text(&row.label),
        text(&row.unit),
        text(&line.label),
        text(weight.map_or_else(|| NONE.to_owned(), |weighed| weighed.weight.to_string())),
        count(Some(line.eligible)),
        count(line.issued),
        count(line.ballots),
        figure(line.score),
    ];
    for (own, question) in line.counts.iter().zip(&row.questions) {
        cells.extend(counts(own.as_deref(), question.options.len()));
    }
    cells
}

fn explanation(sheet: &mut Worksheet, view: &SheetView, bold: &Format) -> Result<(), XlsxError> {
    let mut lines = head(sheet, "说明", vec!["事项".into(), "内容".into()], bold)?;
    let head = &view.head;
    let formula = format!("{} 第{}版", head.formula.key, head.formula.version);
    let questionnaire = format!("{} 第{}版", head.questionnaire, head.questionnaire_version);
    let published_on = head.published_on.to_string();
    let mut say = |name: &str, words: &str| lines.write([text(name), text(words)]);
    say("名称", &head.title)?;
    say("用途", &head.purpose_words)?;
    say("问卷", &questionnaire)?;
    say("公布日期", &published_on)?;
    say("计分办法", &head.formula_words)?;
    say("公式", &formula)?;
    if let Some(words) = &head.grade_words {
        say("等次建议", words)?;
    }
    say("不公布的数", &head.suppression_words)
}
