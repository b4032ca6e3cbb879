//! Just enough of Rust's grammar to lint by: what is code and what is not, functions, imports.

/// The code of a file alone, line by line: comments and the insides of literals are blanks.
pub fn code_of(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let mut code = String::with_capacity(text.len());
    let mut at = 0;
    while at < chars.len() {
        let Some(end) = opaque_end(&chars, at) else {
            code.push(chars[at]);
            at += 1;
            continue;
        };
        for &c in &chars[at..end.min(chars.len())] {
            code.push(if c == '\n' { '\n' } else { ' ' });
        }
        at = end;
    }
    code
}

/// Where the comment or literal that begins at `at` ends.
fn opaque_end(chars: &[char], at: usize) -> Option<usize> {
    let next = chars.get(at + 1).copied().unwrap_or(' ');
    let joined = at > 0 && is_word(chars[at - 1]);
    match chars[at] {
        '/' if next == '/' => Some(find(chars, at, &['\n'])),
        '/' if next == '*' => Some(block_comment_end(chars, at)),
        '"' => Some(string_end(chars, at + 1)),
        'b' if next == '"' && !joined => Some(string_end(chars, at + 2)),
        'r' if !joined => raw_string_end(chars, at + 1),
        'b' if next == 'r' && !joined => raw_string_end(chars, at + 2),
        '\'' if next == '\\' => Some(find(chars, at + 3, &['\'']) + 1),
        '\'' if chars.get(at + 2) == Some(&'\'') => Some(at + 3),
        _ => None,
    }
}

/// The first place from `at` on where `what` stands, or the end.
fn find(chars: &[char], at: usize, what: &[char]) -> usize {
    let rest = chars.get(at..).unwrap_or_default();
    let found = rest.windows(what.len()).position(|window| window == what);
    found.map_or(chars.len(), |offset| at + offset)
}

fn block_comment_end(chars: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (1, at + 2);
    while depth > 0 && at < chars.len() {
        match chars.get(at..at + 2) {
            Some(['/', '*']) => (depth, at) = (depth + 1, at + 2),
            Some(['*', '/']) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    at
}

fn string_end(chars: &[char], mut at: usize) -> usize {
    while at < chars.len() {
        match chars[at] {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

fn raw_string_end(chars: &[char], at: usize) -> Option<usize> {
    let hashes = chars[at..].iter().take_while(|&&c| c == '#').count();
    if chars.get(at + hashes) != Some(&'"') {
        return None;
    }
    let mut end = vec!['"'];
    end.resize(hashes + 1, '#');
    Some(find(chars, at + hashes + 1, &end) + end.len())
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The places where `word` stands as a word.
fn words<'a>(code: &'a str, word: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.match_indices(word)
        .map(|(at, _)| at)
        .filter(move |&at| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].chars().next();
            !before.is_some_and(is_word) && !after.is_some_and(is_word)
        })
}

/// The number of the line at this place, from 1.
fn line_of(code: &str, at: usize) -> usize {
    code[..at].matches('\n').count() + 1
}

/// The lines on which `word` stands as a word.
pub fn lines_with(code: &str, word: &str) -> Vec<usize> {
    words(code, word).map(|at| line_of(code, at)).collect()
}

/// The place after the bracket that closes the one at `open`.
fn closing(code: &str, open: usize) -> usize {
    let mut depth = 0;
    for (at, c) in code[open..].char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return open + at + c.len_utf8();
        }
    }
    code.len()
}

/// A function with a body.
pub struct Function {
    pub name: String,
    pub line: usize,
    pub lines: usize,
}

pub fn functions(code: &str) -> Vec<Function> {
    words(code, "fn")
        .filter_map(|at| function(code, at))
        .collect()
}

fn function(code: &str, at: usize) -> Option<Function> {
    let head = code[at + 2..].trim_start();
    let name: String = head.chars().take_while(|&c| is_word(c)).collect();
    if name.is_empty() {
        return None;
    }
    let mut here = at;
    loop {
        let c = code[here..].chars().next()?;
        match c {
            '(' | '[' => here = closing(code, here),
            ';' => return None,
            '{' => break,
            _ => here += c.len_utf8(),
        }
    }
    let line = line_of(code, at);
    let lines = line_of(code, closing(code, here)) - line + 1;
    Some(Function { name, line, lines })
}

/// The code with its inline test modules blanked.
pub fn without_tests(code: &str) -> String {
    let mut code = code.to_owned();
    while let Some(at) = code.find("#[cfg(test)]") {
        let rest = &code[at + 12..];
        let open = rest
            .find(['{', ';'])
            .map_or(code.len(), |offset| at + 12 + offset);
        let end = if code[open..].starts_with('{') {
            closing(&code, open)
        } else {
            open
        };
        let blank: String = code[at..end]
            .chars()
            .map(|c| if c == '\n' { c } else { ' ' })
            .collect();
        code.replace_range(at..end, &blank);
    }
    code
}

/// What the module `own` (its path in the crate) imports or names from other top-level modules, with the line.
/// Names that the crate's root re-exports lead to their modules.
pub fn imports(code: &str, own: &[&str], reexports: &[(String, String)]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for at in words(code, "crate") {
        top_names(&code[at + 5..], &mut |name| {
            found.push((at, name.to_owned()));
        });
    }
    for at in words(code, "super") {
        // Only the first of a row of them.
        if code[..at].trim_end().ends_with("super::") {
            continue;
        }
        let (mut rest, mut up) = (&code[at + 5..], 1);
        while let Some(more) = rest.strip_prefix("::super") {
            (rest, up) = (more, up + 1);
        }
        if up == own.len() {
            top_names(rest, &mut |name| found.push((at, name.to_owned())));
        }
    }
    let resolve = |name: String| {
        let exported = reexports.iter().find(|(item, _)| *item == name);
        exported.map_or(name, |(_, module)| module.clone())
    };
    // No name: a glob, or what follows the last comma of a group.
    let found = found
        .into_iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(at, name)| (line_of(code, at), resolve(name)));
    found
        .filter(|(_, name)| own.first() != Some(&name.as_str()))
        .collect()
}

/// The names right after `::`: one, or those of a group.
fn top_names(rest: &str, each: &mut dyn FnMut(&str)) {
    let Some(rest) = rest.strip_prefix("::") else {
        return;
    };
    let first = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|c| !is_word(c)).unwrap_or(text.len());
        text[..end].to_owned()
    };
    if !rest.starts_with('{') {
        each(&first(rest));
        return;
    }
    let mut depth = 0;
    let mut start = 1;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if (c == ',' && depth == 1) || depth == 0 {
            each(&first(&rest[start..at]));
            start = at + 1;
        }
        if depth == 0 {
            return;
        }
    }
}

/// What a crate's root re-exports: (name, module).
pub fn reexports(root: &str) -> Vec<(String, String)> {
    let code = code_of(root);
    let mut found = Vec::new();
    for at in words(&code, "use") {
        let statement = code[at + 3..].split(';').next().unwrap_or_default();
        if let Some((module, rest)) = statement.trim_start().split_once("::") {
            top_names(&format!("::{rest}"), &mut |name| {
                found.push((name.to_owned(), module.to_owned()));
            });
        }
    }
    found
}
