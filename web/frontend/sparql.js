// The editor of the SPARQL page, the queries that were run in this browser, and IRIs by name.
// Everything here only adds to a page that works without it: the textarea stays the field of the
// form, and the editor keeps it up to date. The editor lives in a shadow root, where its styles are
// constructed sheets, which the policy of the site allows.
import { autocompletion, closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import {
  bracketMatching, HighlightStyle, indentUnit, StreamLanguage, syntaxHighlighting,
} from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const MOST_REMEMBERED = 30;
const MOST_REMEMBERED_CHARACTERS = 20_000;

// ---- completion: prefixes, what the release uses, keywords, and the variables of the query

function completions({ prefixes, terms, keywords }) {
  const known = new Map(prefixes.map(({ prefix, iri }) => [prefix, iri]));
  const found = prefixes.map(({ prefix, iri }) => ({
    label: `${prefix}:`, type: "namespace", detail: iri, apply: begun(prefix, iri),
  }));
  for (const { term, label, count, kind } of terms) {
    const written = { displayLabel: term, type: kind, apply: declaring(term, known) };
    const boost = Math.min(40, Math.log2(count + 1));
    found.push({ ...written, label: term, detail: label, boost });
    // By its name, too, which people know and the query does not hold.
    if (label && label !== term) found.push({ ...written, label, detail: label, boost: -30 });
  }
  return [...found, ...keywords.map((label) => ({ label, type: "keyword", boost: -20 }))];
}

// A term that is taken declares its prefix at the top where the query does not.
function declaring(term, known) {
  const prefix = term.split(":")[0];
  return (view, completion, from, to) => {
    const text = view.state.doc.toString();
    const declared = new RegExp(`^\\s*PREFIX\\s+${prefix}:`, "im").test(text);
    const added = known.has(prefix) && !declared ? `PREFIX ${prefix}: <${known.get(prefix)}>\n` : "";
    const changes = [{ from: 0, insert: added }, { from, to, insert: term }];
    view.dispatch({
      changes, selection: { anchor: from + added.length + term.length }, userEvent: "input.complete",
    });
  };
}

// Whether what stands at a place is the prefix of a declaration.
function declares(state, place) {
  return /^\s*PREFIX\s*$/i.test(state.sliceDoc(state.doc.lineAt(place).from, place));
}

// After PREFIX the whole declaration is written; elsewhere the prefix alone.
function begun(prefix, iri) {
  return (view, completion, from, to) => {
    const insert = declares(view.state, from) ? `${prefix}: <${iri}>` : `${prefix}:`;
    view.dispatch({
      changes: { from, to, insert }, selection: { anchor: from + insert.length },
      userEvent: "input.complete",
    });
  };
}

function variables(text, typed) {
  const found = new Set(text.match(/[?$]\w+/g));
  found.delete(typed);
  return [...found].map((label) => ({ label, type: "variable" }));
}

function completing(address) {
  let words;
  return async (context) => {
    const variable = context.matchBefore(/[?$]\w*/);
    if (variable) {
      const options = variables(context.state.doc.toString(), variable.text);
      return { from: variable.from, options, validFor: /^[?$]\w*$/ };
    }
    const word = context.matchBefore(/[\p{L}\d_-]+(:[\w.-]*)?/u);
    if (!word && !context.explicit) return null;
    words ??= fetch(address).then((r) => (r.ok ? r.json() : Promise.reject(r))).then(completions);
    const from = word ? word.from : context.pos;
    try {
      const declared = declares(context.state, from);
      const options = (await words).filter(({ type }) => !declared || type === "namespace");
      return { from, options, validFor: /^[\p{L}\d_-]*(:[\w.-]*)?$/u };
    } catch {
      words = undefined; // Asked for again at the next word.
      return null;
    }
  };
}

// ---- look: the tokens of the site reach into the shadow root

const theme = EditorView.theme({
  "&": {
    backgroundColor: "var(--raise)", color: "var(--ink)", border: "1px solid var(--edge)",
    borderRadius: "var(--r)", fontSize: ".92rem",
  },
  "&.cm-focused": { outline: "3px solid var(--focus-ink)", boxShadow: "0 0 0 6px var(--focus)" },
  ".cm-scroller": {
    fontFamily: "var(--mono)", lineHeight: "1.5", maxHeight: "32rem",
    borderRadius: "var(--r)",
  },
  ".cm-content, .cm-gutter": { minHeight: "14rem" },
  ".cm-content": { caretColor: "var(--ink)", padding: ".5rem 0" },
  ".cm-gutters": {
    backgroundColor: "var(--soft)", color: "var(--mute)", borderRight: "1px solid var(--line)",
  },
  ".cm-gutter-lint": { width: "1.1rem" },
  ".cm-matchingBracket": { backgroundColor: "var(--chip)", outline: "1px solid var(--edge)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raise)", color: "var(--ink)", border: "1px solid var(--edge)",
    borderRadius: "var(--r)", boxShadow: "0 4px 14px var(--shade)", maxWidth: "min(34rem, 90vw)",
    overflow: "hidden",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": {
    fontFamily: "var(--mono)", maxHeight: "none", maxWidth: "min(34rem, 90vw)", minWidth: "12rem",
  },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": {
    display: "flex", gap: ".3rem 1rem", justifyContent: "space-between", padding: ".3rem .6rem",
    lineHeight: "1.4",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--btn)", color: "var(--btn-ink)",
  },
  ".cm-completionLabel": { flex: "none" },
  ".cm-completionMatchedText": { fontWeight: "700" },
  ".cm-completionDetail": {
    color: "var(--mute)", fontFamily: "var(--font)", fontStyle: "normal", margin: "0",
    overflow: "hidden", textOverflow: "ellipsis",
  },
  "li[aria-selected] .cm-completionDetail": { color: "inherit" },
  ".cm-diagnostic": { padding: ".5rem .8rem", fontFamily: "var(--font)" },
  ".cm-diagnostic-error": { borderLeft: "5px solid var(--bad)" },
  ".cm-lintRange-error": {
    backgroundImage: "none", backgroundColor: "var(--bad-soft)",
    textDecoration: "underline wavy var(--bad)", textUnderlineOffset: "3px",
  },
});
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: tags.atom, color: "var(--link)", fontWeight: "400" },
  { tag: tags.comment, color: "var(--mute)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.local(tags.variableName), tags.variableName], color: "var(--warn)" },
  { tag: tags.meta, color: "var(--bad)" },
]);

// ---- the editor

function edit(area) {
  const { form } = area;
  const label = form.querySelector("label[for=query]");
  const keys = document.getElementById("query-keys");
  const host = document.createElement("div");
  host.className = "editor";
  const root = host.attachShadow({ mode: "open" });
  area.after(host);
  const run = () => (form.requestSubmit(form.querySelector("button[name=run]")), true);
  const view = new EditorView({
    parent: root,
    root,
    state: EditorState.create({
      doc: area.value.trimEnd(),
      extensions: [
        Prec.highest(keymap.of([{ key: "Mod-Enter", run }])),
        // Tab is left to the browser: the editor is no trap. Mod-] and Mod-[ indent.
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap]),
        lineNumbers(),
        highlightSpecialChars(),
        history(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        lintGutter(),
        StreamLanguage.define(sparql),
        syntaxHighlighting(colours),
        theme,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          "aria-label": label.textContent, "aria-description": keys.textContent, tabindex: "0",
        }),
        EditorView.domEventHandlers({ beforeinput: overtype }),
        // So few at a time that the list never scrolls: a region that does would have to take the focus.
        autocompletion({
          override: [completing(area.dataset.words)], icons: false, maxRenderedOptions: 8,
        }),
        EditorState.phrases.of({ Completions: area.dataset.completions }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) area.value = update.state.doc.toString();
        }),
      ],
    }),
  });
  area.hidden = true;
  area.required = false; // A hidden field cannot be shown as missing.
  keys.hidden = false;
  label.addEventListener("click", () => view.focus());
  for (const link of document.querySelectorAll('a[href="#query"]')) {
    link.addEventListener("click", (event) => (event.preventDefault(), view.focus()));
  }
  point(view, area);
  return view;
}

// Text typed over a selection. Chromium would give it the look of what it replaces as an inline
// style, which the policy of the site refuses; so the editor replaces it itself.
function overtype(event, view) {
  const { from, to } = view.state.selection.main;
  if (event.inputType !== "insertText" || !event.data || from === to || view.composing) return false;
  const change = { ...view.state.replaceSelection(event.data), userEvent: "input.type" };
  const insert = () => view.state.update(change);
  const handlers = view.state.facet(EditorView.inputHandler);
  if (!handlers.some((handle) => handle(view, from, to, event.data, insert))) view.dispatch(insert());
  event.preventDefault();
  return true;
}

// The place of a fault: underlined from there to the end of the word, and where the cursor is.
function point(view, area) {
  const line = Number(area.dataset.line);
  if (!line || line > view.state.doc.lines) return;
  const held = view.state.doc.line(line);
  // The parser counts characters, the editor UTF-16 units.
  const before = [...held.text].slice(0, Number(area.dataset.column || 1) - 1).join("").length;
  const start = Math.min(held.from + before, held.to);
  const word = /^\S+/.exec(held.text.slice(before));
  const to = Math.min(held.to, start + (word ? word[0].length : 1));
  // At the end of a line the character before it is shown.
  const from = start === to ? Math.max(held.from, to - 1) : start;
  const fault = { from, to, severity: "error", message: area.dataset.fault };
  view.dispatch(setDiagnostics(view.state, [fault]));
  view.dispatch({ selection: { anchor: start }, scrollIntoView: true });
}

// ---- what was run here: kept in this browser alone

const KEY = "bilbaokg.queries";

function remembered() {
  try {
    const found = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter((each) => typeof each === "string") : [];
  } catch {
    return [];
  }
}

function remember(texts) {
  try {
    localStorage.setItem(KEY, JSON.stringify(texts));
  } catch {
    // No place, or not allowed: the page works without.
  }
}

// A query in a line: without prefixes and comments.
function summary(text) {
  const code = text.split("\n").filter((line) => !/^\s*(PREFIX\b|#|$)/i.test(line));
  return (code.join(" ") || text).replace(/\s+/g, " ").trim().slice(0, 90);
}

function past(box, form, view) {
  const list = box.querySelector("ul");
  const taken = (text) => {
    view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    view.focus();
  };
  const show = () => {
    const texts = remembered();
    box.hidden = texts.length === 0;
    list.replaceChildren(...texts.map((text) => {
      const button = document.createElement("button");
      Object.assign(button, { type: "button", className: "past-query", textContent: summary(text) });
      button.addEventListener("click", () => taken(text));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }));
  };
  box.querySelector("button.clear").addEventListener("click", () => {
    remember([]);
    show();
    view.focus();
  });
  form.addEventListener("submit", () => {
    const text = view.state.doc.toString().trimEnd();
    if (!text || text.length > MOST_REMEMBERED_CHARACTERS) return;
    remember([text, ...remembered().filter((each) => each !== text)].slice(0, MOST_REMEMBERED));
  });
  show();
}

// ---- IRIs by name: what is typed is looked for in the catalogue

function suggesting(input) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-names`;
  input.after(list);
  input.setAttribute("list", list.id);
  const ask = async () => {
    const asked = input.value.trim();
    if (asked.length < 2 || asked.includes("://")) return;
    const answer = await fetch(`${input.dataset.suggest}${encodeURIComponent(asked)}`);
    if (!answer.ok || input.value.trim() !== asked) return;
    const { results } = await answer.json();
    list.replaceChildren(...results.map(({ iri, title }) => new Option(title.text, iri)));
  };
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => ask().catch(() => {}), 200);
  });
}

const area = document.getElementById("query");
if (area) past(document.getElementById("past"), area.form, edit(area));
document.querySelectorAll("input[data-suggest]").forEach(suggesting);
