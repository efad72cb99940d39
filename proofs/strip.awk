# Prints Coq sources without comments (nested) and without the contents of strings,
# by the lexical rules of Coq: strings are read inside comments too.
BEGIN { depth = 0; string = 0 }
{
  out = ""
  n = length($0)
  for (i = 1; i <= n; i++) {
    two = substr($0, i, 2); one = substr($0, i, 1)
    if (string) { if (one == "\"") string = 0; continue }
    if (one == "\"") { string = 1; if (!depth) out = out " \"\" "; continue }
    if (two == "(*") { depth++; i++; continue }
    if (two == "*)" && depth) { depth--; i++; if (!depth) out = out " "; continue }
    if (!depth) out = out one
  }
  print out
}
