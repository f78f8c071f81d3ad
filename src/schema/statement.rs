//! Reading `unique` statements, which the binding does not show, out of a module's text as libyang prints it.

/// The `unique` statements of `container`'s `list`, each as the paths of its leaves.
pub(super) fn uniques(text: &str, container: &str, list: &str) -> Vec<Vec<String>> {
    let mut open: Vec<(String, String)> = Vec::new();
    let mut found = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for token in (Tokens { rest: text }) {
        match token.as_str() {
            "{" => {
                let mut statement = words.drain(..);
                let keyword = statement.next().unwrap_or_default();
                open.push((keyword, statement.next().unwrap_or_default()));
            }
            "}" => {
                open.pop();
                words.clear();
            }
            ";" => {
                let keyword = words.first().map(String::as_str);
                if keyword == Some("unique") && is_within(&open, container, list) {
                    let leaves = words.get(1).map(String::as_str).unwrap_or_default();
                    found.push(leaves.split_whitespace().map(str::to_owned).collect());
                }
                words.clear();
            }
            _ => words.push(token),
        }
    }
    found
}

fn is_within(open: &[(String, String)], container: &str, list: &str) -> bool {
    let fits = |at: usize, keyword: &str, name: &str| {
        open.get(at)
            .is_some_and(|(found, argument)| found == keyword && argument == name)
    };
    open.len() == 3 && fits(1, "container", container) && fits(2, "list", list)
}

/// The tokens of YANG (RFC 7950 section 6.1); quotes are taken off.
struct Tokens<'a> {
    rest: &'a str,
}

impl Iterator for Tokens<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.skip();
        let mut chars = self.rest.chars();
        let first = chars.next()?;
        match first {
            '{' | '}' | ';' => {
                self.rest = chars.as_str();
                Some(first.to_string())
            }
            '"' | '\'' => {
                let (text, after) = quoted(chars.as_str(), first);
                self.rest = after;
                Some(text)
            }
            _ => {
                let ends = |c: char| c.is_whitespace() || matches!(c, '{' | '}' | ';');
                let end = self.rest.find(ends).unwrap_or(self.rest.len());
                let (word, after) = self.rest.split_at(end);
                self.rest = after;
                Some(word.to_owned())
            }
        }
    }
}

impl Tokens<'_> {
    /// Past white space and comments.
    fn skip(&mut self) {
        loop {
            self.rest = self.rest.trim_start();
            self.rest = if self.rest.starts_with("//") {
                self.rest.split_once('\n').map_or("", |(_, after)| after)
            } else if self.rest.starts_with("/*") {
                self.rest.split_once("*/").map_or("", |(_, after)| after)
            } else {
                return;
            };
        }
    }
}

fn quoted(text: &str, quote: char) -> (String, &str) {
    let mut found = String::new();
    let mut chars = text.chars();
    while let Some(next) = chars.next() {
        match next {
            '\\' if quote == '"' => found.extend(chars.next()),
            next if next == quote => break,
            next => found.push(next),
        }
    }
    (found, chars.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uniques_are_found_in_their_list_alone() {
        let text = r#"module m { // unique "x";
            container c { list other { unique "no"; }
              list l { key "id"; unique 'name'; unique "a/b c"; /* unique "y"; */
                description "a \" unique \"z\"; {"; list inner { unique "no"; } } } }"#;
        let found = uniques(text, "c", "l");
        assert_eq!(found, [vec!["name"], vec!["a/b", "c"]]);
    }
}
