//! Where a block of Lua ends, by Lua's own lexical rules (as lua-nginx-module's
//! `ngx_http_lua_lex.c` counts braces).

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while1};
use nom::character::complete::{char, none_of, one_of};
use nom::combinator::{cut, value};
use nom::multi::many0_count;
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser as _};

type Input<'a> = &'a [u8];

/// `[[ … ]]`, `[==[ … ]==]`.
fn long_bracket(input: Input<'_>) -> IResult<Input<'_>, ()> {
    let equals = take_while(|byte| byte == b'=');
    let (rest, level) = delimited(char('['), equals, char('[')).parse_complete(input)?;
    let close = [b"]".as_slice(), level, b"]"].concat();
    // One that never closes is an error for good: looking again at every bracket takes for ever.
    let (rest, _) = cut(take_until(close.as_slice())).parse_complete(rest)?;
    value((), tag(close.as_slice())).parse_complete(rest)
}

fn comment(input: Input<'_>) -> IResult<Input<'_>, ()> {
    let line = value((), take_till(|byte| byte == b'\n'));
    preceded(tag("--"), alt((long_bracket, line))).parse_complete(input)
}

/// A string of one line; a backslash shields what follows.
fn string(input: Input<'_>) -> IResult<Input<'_>, ()> {
    let (rest, quote) = one_of("\"'").parse_complete(input)?;
    let plain = take_while1(|byte: u8| byte != quote as u8 && !matches!(byte, b'\\' | b'\n'));
    let escape = pair(char('\\'), none_of("\n"));
    let content = many0_count(alt((value((), plain), value((), escape))));
    value((), terminated(content, char(quote))).parse_complete(rest)
}

/// What holds no brace that counts and no quote.
fn filler(input: Input<'_>) -> IResult<Input<'_>, ()> {
    let plain = take_while1(|byte: u8| !matches!(byte, b'{' | b'}' | b'-' | b'[' | b'"' | b'\''));
    let lone = value((), one_of("-["));
    alt((value((), plain), comment, long_bracket, lone)).parse_complete(input)
}

/// The offset of the brace that closes a block of Lua, counted from behind the brace that opens
/// it.
pub(super) fn block_end(text: Input<'_>) -> Option<usize> {
    let mut rest = text;
    let mut depth = 0usize;
    // Up to here no string of that quote ends: looking again at every quote takes for ever.
    let mut open_until = [0; 2];
    loop {
        (rest, _) = many0_count(filler).parse_complete(rest).ok()?;
        let at = text.len() - rest.len();
        let (sign, behind) = rest.split_first()?;
        match sign {
            b'{' => depth += 1,
            b'}' if depth == 0 => return Some(at),
            b'}' => depth -= 1,
            quote => {
                let until = &mut open_until[usize::from(*quote == b'"')];
                match (at >= *until).then(|| string(rest)) {
                    Some(Ok((behind, ()))) => {
                        rest = behind;
                        continue;
                    }
                    Some(Err(_)) => {
                        let line = rest.iter().position(|byte| *byte == b'\n');
                        *until = at + line.unwrap_or(rest.len());
                    }
                    None => {}
                }
            }
        }
        rest = behind;
    }
}

#[cfg(test)]
mod tests {
    use super::block_end;

    #[track_caller]
    fn check(text: &str) {
        let (body, _) = text.split_once("}END").unwrap();
        assert_eq!(block_end(text.as_bytes()), Some(body.len()), "{text}");
    }

    #[test]
    fn braces_count_only_in_code() {
        check(" local t = {a = {}} }END }");
        check(" local s = \"}\" .. '}' }END");
        check(r#" local s = "\"}" .. '\\' }END"#);
        check(" -- it's a }\n }END");
        check(" --[[ } \n } ]] }END");
        check(" --[==[ } ]] ]=] } ]==] }END");
        check(" x = [[ } ' \" ]] .. [=[ }]] ]=] }END");
        check(" a[b[1]] = c - d }END");
        check(" local quote = don't {}\n }END");
        check(" local quote = \"don't\\\n \" }END");
    }

    #[test]
    fn what_does_not_end_has_no_end() {
        assert_eq!(block_end(b" { } "), None);
        assert_eq!(block_end(b" [[ } "), None);
        assert_eq!(block_end(b""), None);
    }

    #[test]
    fn time_is_linear() {
        assert_eq!(block_end("{".repeat(100_000).as_bytes()), None);
        assert_eq!(block_end("[[".repeat(100_000).as_bytes()), None);
        assert_eq!(block_end("\"\\".repeat(100_000).as_bytes()), None);
    }
}
