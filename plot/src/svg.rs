//! Elements of an SVG, and their text. A small writer of our own: templates for HTML do not close empty elements, and
//! XML must.

use std::fmt::Write;

/// An element, its attributes and what it contains. Everything from outside is escaped when it is written.
#[derive(Debug, Clone)]
pub(crate) struct Element {
    name: &'static str,
    attributes: Vec<(&'static str, String)>,
    content: Vec<Node>,
}

#[derive(Debug, Clone)]
enum Node {
    Element(Element),
    Text(String),
}

impl Element {
    pub(crate) fn new(name: &'static str) -> Element {
        Element { name, attributes: Vec::new(), content: Vec::new() }
    }

    pub(crate) fn group(class: &str) -> Element {
        Element::new("g").class(class)
    }

    pub(crate) fn line([x1, y1]: [f64; 2], [x2, y2]: [f64; 2]) -> Element {
        Element::new("line").number("x1", x1).number("y1", y1).number("x2", x2).number("y2", y2)
    }

    pub(crate) fn circle([x, y]: [f64; 2], radius: f64) -> Element {
        Element::new("circle").number("cx", x).number("cy", y).number("r", radius)
    }

    pub(crate) fn path(path: &Path) -> Element {
        Element::new("path").word("d", path.0.clone())
    }

    /// An attribute in points.
    pub(crate) fn number(self, name: &'static str, value: f64) -> Element {
        self.word(name, number(value))
    }

    pub(crate) fn word(mut self, name: &'static str, value: impl Into<String>) -> Element {
        self.attributes.push((name, value.into()));
        self
    }

    pub(crate) fn class(self, class: &str) -> Element {
        self.word("class", class)
    }

    /// A colour, and the width of the line in points.
    pub(crate) fn stroke(self, colour: &str, width: f64) -> Element {
        self.word("stroke", colour).number("stroke-width", width)
    }

    pub(crate) fn fill(self, colour: &str) -> Element {
        self.word("fill", colour)
    }

    /// What a reader of the screen says, and what a page shows under the pointer.
    pub(crate) fn title(self, text: impl Into<String>) -> Element {
        self.child(Element::new("title").text(text))
    }

    pub(crate) fn text(mut self, text: impl Into<String>) -> Element {
        self.content.push(Node::Text(text.into()));
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Element {
        self.content.push(Node::Element(child));
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Element {
        self.content.extend(children.into_iter().map(Node::Element));
        self
    }

    /// The element as XML, an element a line.
    pub(crate) fn to_xml(&self) -> String {
        let mut xml = String::new();
        self.write(&mut xml);
        xml
    }

    fn write(&self, xml: &mut String) {
        let _ = write!(xml, "<{}", self.name);
        for (name, value) in &self.attributes {
            let _ = write!(xml, " {name}=\"");
            escape(value, xml);
            xml.push('"');
        }
        if self.content.is_empty() {
            xml.push_str("/>\n");
            return;
        }
        xml.push('>');
        if matches!(self.content[0], Node::Element(_)) {
            xml.push('\n');
        }
        for node in &self.content {
            match node {
                Node::Element(element) => element.write(xml),
                Node::Text(text) => escape(text, xml),
            }
        }
        let _ = writeln!(xml, "</{}>", self.name);
    }
}

/// A line made of pieces, as the attribute `d` has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path(String);

impl Path {
    pub(crate) fn move_to(&mut self, point: [f64; 2]) {
        self.push('M', point);
    }

    pub(crate) fn line_to(&mut self, point: [f64; 2]) {
        self.push('L', point);
    }

    pub(crate) fn close(&mut self) {
        self.0.push('Z');
    }

    /// Through all `points`, in their order.
    pub(crate) fn through(points: impl IntoIterator<Item = [f64; 2]>) -> Path {
        let mut path = Path::default();
        for (at, point) in points.into_iter().enumerate() {
            if at == 0 {
                path.move_to(point);
            } else {
                path.line_to(point);
            }
        }
        path
    }

    fn push(&mut self, command: char, [x, y]: [f64; 2]) {
        let _ = write!(self.0, "{command}{} {}", number(x), number(y));
    }
}

/// To a hundredth of a point, which no eye sees, and without zeros at the end.
fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// Text that may stand in XML anywhere. What XML 1.0 has no way to write becomes U+FFFD, and every kind of space one
/// space.
fn escape(text: &str, xml: &mut String) {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => xml.push(' '),
            '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            other => xml.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_outside_cannot_become_markup() {
        let element = Element::group("a\"b").title("</title><script>&\u{1}\n");
        assert_eq!(
            element.to_xml(),
            "<g class=\"a&quot;b\">\n<title>&lt;/title&gt;&lt;script&gt;&amp;\u{fffd} </title>\n</g>\n"
        );
    }

    #[test]
    fn coordinates_have_two_decimals_at_most() {
        assert_eq!(["1", "0.5", "100", "0", "-1.23"], [1.0, 0.5, 100.0, -0.001, -1.2345].map(number)[..]);
    }
}
