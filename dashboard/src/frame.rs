//! What is around every page.

use axum::response::Html;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::asked::{Asked, Question, link, of_sweep};
use crate::assets;

/// What is around a page's content.
pub(crate) struct Frame<'a> {
    asked: &'a Asked,
    title: String,
    /// The sweep that the page is about.
    sweep: Option<&'a str>,
    /// Where the page hears what has changed.
    live: Option<String>,
    /// What is done, of how much: in the tab's picture.
    done: Option<(u32, u32)>,
}

/// The pages of a sweep: the ends of their paths, and their names.
const TABS: [(&str, &str); 6] = [
    ("", "Overview"),
    ("/runs", "Runs"),
    ("/curves", "Curves"),
    ("/pictures", "Pictures"),
    ("/compare", "Compare"),
    ("/feed", "Feed"),
];

impl<'a> Frame<'a> {
    pub(crate) fn titled(asked: &'a Asked, title: impl Into<String>) -> Frame<'a> {
        Frame { asked, title: title.into(), sweep: None, live: None, done: None }
    }

    pub(crate) fn of_sweep(self, sweep: &'a str) -> Frame<'a> {
        Frame { sweep: Some(sweep), ..self }
    }

    /// Has the page follow what happens, as this path tells it.
    pub(crate) fn live(self, path: impl Into<String>) -> Frame<'a> {
        Frame { live: Some(path.into()), ..self }
    }

    /// Shows progress in the tab's title and picture.
    pub(crate) fn done(self, done: u32, of: u32) -> Frame<'a> {
        Frame { done: Some((done, of)), ..self }
    }

    fn whole_title(&self) -> String {
        match self.done {
            Some((done, of)) => format!("{done}/{of} · {}", self.title),
            None => format!("{} · acai", self.title),
        }
    }

    fn favicon(&self) -> String {
        let question = match self.done {
            Some((done, of)) => {
                Question::default().with("done", &done.to_string()).and("of", &of.to_string())
            }
            None => Question::default(),
        };
        link("favicon.svg", &question)
    }
}

/// A whole page.
pub(crate) fn document(frame: &Frame<'_>, content: &Markup) -> Html<String> {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                base href=(frame.asked.root);
                title { (frame.whole_title()) }
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                link rel="icon" type="image/svg+xml" href=(frame.favicon());
                style { (PreEscaped(assets::PAGE_STYLE.as_str())) }
                script defer src=(assets::path("idiomorph.min.js")) {}
                script defer src=(assets::path("app.js")) {}
            }
            // What draws curves is loaded where there are any, after they have been shown as they come.
            body data-live=[frame.live.as_deref()] data-plots=(assets::path("uPlot.iife.min.js"))
                data-plots-style=(assets::path("uPlot.min.css")) {
                a.skip href={ (frame.asked.path) "#content" } { "Skip to the content" }
                (header(frame))
                main #content { (content) }
                (help())
            }
        }
    };
    Html(markup.into_string())
}

fn header(frame: &Frame<'_>) -> Markup {
    let current = |is_current: bool| is_current.then_some("page");
    html! {
        header.top {
            nav aria-label="Main" {
                a.brand href="./" aria-current=[current(frame.asked.path.is_empty())] { "acai" }
                @if let Some(sweep) = frame.sweep { a.sweep href=(of_sweep(sweep)) { (sweep) } }
                a href="workers" aria-current=[current(frame.asked.path == "workers")] { "Workers" }
                span #connection role="status" {}
            }
            @if let Some(sweep) = frame.sweep {
                nav.tabs aria-label=(sweep) {
                    @for (end, name) in TABS {
                        @let path = format!("{}{end}", of_sweep(sweep));
                        a href=(path) aria-current=[current(frame.asked.path == path)] { (name) }
                    }
                }
            }
        }
    }
}

/// What keys do; scripts show it.
fn help() -> Markup {
    let keys = [
        ("j, k", "next and previous row or cell"),
        ("Enter", "open it"),
        ("/", "go to the condition"),
        ("g", "list of sweeps"),
        ("w", "workers"),
        ("← →", "on a slider: scrub"),
        ("?", "this help"),
    ];
    html! {
        dialog #help aria-label="Keys" {
            h2 { "Keys" }
            dl.keys { @for (key, what) in keys { dt { kbd { (key) } } dd { (what) } } }
            form method="dialog" { button { "Close" } }
        }
    }
}
