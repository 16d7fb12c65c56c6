//! What is true of every figure, whatever the data.

use roxmltree::{Document, Node};

/// A rectangle in points: left, top, right, bottom.
type Bounds = [f64; 4];

/// Fails unless `svg` is a figure that any page and any paper can take.
pub(crate) fn check(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error}\n{svg}"));
    let root = document.root_element();
    let view = numbers(root.attribute("viewBox").unwrap());
    let inside = |x: f64, y: f64| {
        assert!(
            (0.0..=view[2]).contains(&x) && (0.0..=view[3]).contains(&y),
            "{x} {y} is outside of {view:?}\n{svg}"
        );
    };
    let mut texts: Vec<(Node<'_, '_>, Bounds)> = Vec::new();
    for element in document.descendants().filter(Node::is_element) {
        assert!(!["script", "style"].contains(&element.tag_name().name()), "a figure needs neither");
        for attribute in element.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(name != "id" && name != "style" && !name.starts_with("on"), "{name}");
            if name == "class" {
                assert!(value.split(' ').all(|class| class.starts_with("plot")), "{value}");
            } else if !["role", "font-family", "href"].contains(&name) {
                assert!(!value.contains("NaN") && !value.contains("inf"), "{name}={value}");
            }
        }
        let number = |name: &str| element.attribute(name).map(|value| value.parse::<f64>().unwrap());
        match element.tag_name().name() {
            "rect" => {
                let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(name).unwrap());
                assert!(width >= 0.0 && height >= 0.0, "{width} {height}");
                inside(x, y);
                // Each number is rounded alone.
                inside(x + width - 0.01, y + height - 0.01);
            }
            "line" => {
                inside(number("x1").unwrap(), number("y1").unwrap());
                inside(number("x2").unwrap(), number("y2").unwrap());
            }
            "circle" => inside(number("cx").unwrap(), number("cy").unwrap()),
            "path" => {
                let path = element.attribute("d").unwrap().replace(['M', 'L', 'Z'], " ");
                numbers(&path).chunks(2).for_each(|point| inside(point[0], point[1]));
            }
            "text" => {
                for [x, y] in ends(element) {
                    inside(x, y);
                }
                if element.attribute("transform").is_none() {
                    texts.push((element, bounds(element)));
                }
            }
            _ => {}
        }
    }
    for (at, (text, one)) in texts.iter().enumerate() {
        inside(one[0], one[1]);
        inside(one[2], one[3]);
        for (other_text, other) in &texts[at + 1..] {
            let apart = one[2] <= other[0] || other[2] <= one[0] || one[3] <= other[1] || other[3] <= one[1];
            assert!(apart, "{:?} touches {:?}\n{svg}", text.text(), other_text.text());
        }
    }
}

/// Where a text is at least, if it is not turned: as high as a digit.
fn bounds(text: Node<'_, '_>) -> Bounds {
    let size: f64 = text.attribute("font-size").unwrap().parse().unwrap();
    let [[left, y], [right, _]] = ends(text);
    [left, y - 0.7 * size, right, y]
}

/// Where the line that a text stands on begins and ends, at least: letters are half their size wide, or a quarter.
fn ends(text: Node<'_, '_>) -> [[f64; 2]; 2] {
    let number = |name: &str| text.attribute(name).unwrap().parse::<f64>().unwrap();
    let [x, y, size] = ["x", "y", "font-size"].map(number);
    let narrow = |letter: char| " .,:;'`|!()[]{}/\\Iijlfrt-".contains(letter);
    let letters =
        text.text().unwrap_or_default().chars().map(|letter| if narrow(letter) { 0.25 } else { 0.5 });
    let width = letters.sum::<f64>() * size;
    let begin = match text.attribute("text-anchor") {
        Some("middle") => -width / 2.0,
        Some("end") => -width,
        _ => 0.0,
    };
    // All texts that are turned are turned around their own place.
    let turn = text.attribute("transform").map_or(0.0, |transform| {
        let angle = transform.trim_start_matches("rotate(").split(' ').next().unwrap();
        angle.parse::<f64>().unwrap().to_radians()
    });
    [begin, begin + width].map(|along| [x + along * turn.cos(), y + along * turn.sin()])
}

fn numbers(text: &str) -> Vec<f64> {
    text.split_whitespace().map(|number| number.parse().unwrap_or_else(|_| panic!("{number}"))).collect()
}
