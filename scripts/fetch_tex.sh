#!/usr/bin/env bash
# Fetches a LaTeX into a folder, without root: FOLDER/pdflatex then makes a PDF of a document. The folder cannot be moved.
set -euo pipefail
[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 1; }
[ ! -x "$1/pdflatex" ] || exit 0
mkdir -p "$1"
folder=$(cd "$1" && pwd)
"$(dirname "$0")/fetch_debian.sh" "$folder" texlive-binaries texlive-base texlive-latex-base texlive-latex-recommended \
    libkpathsea6 libptexenc1 libsynctex2
tree=$folder/usr/share/texlive/texmf-dist
mkdir -p "$folder"/{settings,made/web2c,made/fonts/map/pdftex}
# Its own trees, and nothing of the system's.
{
    printf '%s\n' "TEXMFDIST = $tree" "TEXMFMAIN = $folder/usr/share/texmf" "TEXMFVAR = $folder/made" \
        "TEXMF = {\$TEXMFVAR,\$TEXMFMAIN,\$TEXMFDIST}"
    grep -vE '^TEXMF(DIST|MAIN|VAR|LOCAL|SYSVAR|SYSCONFIG|HOME|CONFIG|ROOT|DEBIAN|DBS)? *=' "$tree/web2c/texmf.cnf"
} > "$folder/settings/texmf.cnf"
cp "$tree/fonts/map/dvips/amsfonts/cm.map" "$folder/made/fonts/map/pdftex/pdftex.map"
cat > "$folder/run" <<END
#!/bin/sh
export LD_LIBRARY_PATH=$folder/usr/lib/$(uname -m)-linux-gnu TEXMFCNF=$folder/settings TEXMFROOT=$folder/usr/share/texlive
exec $folder/usr/bin/pdftex "\$@"
END
chmod +x "$folder/run"
(cd "$folder/made/web2c" && "$folder/run" -ini -etex '*pdflatex.ini' > made.log 2>&1) ||
    { tail -n 20 "$folder/made/web2c/made.log" >&2; exit 1; }
printf '#!/bin/sh\nexec %s -fmt=pdflatex -progname=pdflatex "$@"\n' "$folder/run" > "$folder/pdflatex"
chmod +x "$folder/pdflatex"
