// The editor of the SPARQL page, and the queries that were run in this browser.
// Everything here only adds to a page that works without it: the textarea stays the field of the
// form, and the editor keeps it up to date. The editor lives in a shadow root, where its styles are
// constructed sheets, which the policy of the site allows.
import {
  autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { sparql } from "@codemirror/legacy-modes/mode/sparql";
import { lintGutter, lintKeymap, setDiagnostics } from "@codemirror/lint";
import { EditorState, Prec } from "@codemirror/state";
import { drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";

const MOST_REMEMBERED = 30;
const MOST_REMEMBERED_CHARACTERS = 20_000;

// ---- completion

function completions(words) {
  const prefixes = words.prefixes.map(({ prefix, iri }) => ({
    label: `${prefix}:`, type: "namespace", detail: iri, apply: begun(prefix, iri),
  }));
  const terms = words.terms.map(({ term, label, count, kind }) => ({
    label: term, type: kind === "class" ? "class" : "property",
    detail: label, boost: Math.min(50, Math.log2(count + 1)), apply: declaring(words),
  }));
  const keywords = words.keywords.map((label) => ({ label, type: "keyword", boost: -20 }));
  return [...prefixes, ...terms, ...keywords];
}

// A term that is taken declares its prefix at the top where the query does not.
function declaring(words) {
  const known = new Map(words.prefixes.map(({ prefix, iri }) => [prefix, iri]));
  return (view, completion, from, to) => {
    const prefix = completion.label.split(":")[0];
    const changes = [{ from, to, insert: completion.label }];
    const declared = new RegExp(`^\\s*PREFIX\\s+${prefix}:`, "im");
    if (known.has(prefix) && !declared.test(view.state.doc.toString())) {
      changes.unshift({ from: 0, insert: `PREFIX ${prefix}: <${known.get(prefix)}>\n` });
    }
    const added = changes.length > 1 ? changes[0].insert.length : 0;
    view.dispatch({ changes, selection: { anchor: from + added + completion.label.length } });
  };
}

// After PREFIX the whole declaration is written; elsewhere the prefix alone.
function begun(prefix, iri) {
  return (view, completion, from, to) => {
    const line = view.state.doc.lineAt(from);
    const declares = /^\s*PREFIX\s*$/i.test(view.state.sliceDoc(line.from, from));
    const insert = declares ? `${prefix}: <${iri}>` : `${prefix}:`;
    view.dispatch({ changes: { from, to, insert }, selection: { anchor: from + insert.length } });
  };
}

function completing(address) {
  let words;
  return async (context) => {
    const word = context.matchBefore(/[\w-]+(:[\w.-]*)?/);
    if (!word && !context.explicit) return null;
    words ??= fetch(address).then((r) => (r.ok ? r.json() : Promise.reject(r))).then(completions);
    try {
      const options = await words;
      return { from: word ? word.from : context.pos, options, validFor: /^[\w-]*(:[\w.-]*)?$/ };
    } catch {
      words = undefined;
      return null;
    }
  };
}

// ---- look: the tokens of the site reach into the shadow root

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--raise)", color: "var(--ink)", border: "1px solid var(--edge)",
    borderRadius: "var(--r)", fontSize: ".92rem", minHeight: "14rem" },
  "&.cm-focused": { outline: "3px solid var(--focus-ink)", boxShadow: "0 0 0 6px var(--focus)" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.5", minHeight: "14rem", maxHeight: "32rem" },
  ".cm-content": { caretColor: "var(--ink)" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  ".cm-gutters": { backgroundColor: "var(--soft)", color: "var(--mute)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent", color: "inherit" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--chip)" },
  ".cm-tooltip": { backgroundColor: "var(--raise)", color: "var(--ink)", border: "1px solid var(--edge)", maxWidth: "90vw" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { backgroundColor: "var(--btn)", color: "var(--btn-ink)" },
  ".cm-completionDetail": { color: "inherit" },
  ".cm-panels": { backgroundColor: "var(--soft)", color: "var(--ink)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
});
const colours = HighlightStyle.define([
  { tag: tags.keyword, color: "var(--link)", fontWeight: "600" },
  { tag: tags.comment, color: "var(--mute)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--ok)" },
  { tag: [tags.local(tags.variableName), tags.variableName], color: "var(--warn)" },
  { tag: tags.meta, color: "var(--bad)" },
]);

// ---- the editor

// Typing over lines that are selected: a browser would write styles of its own to join them, which
// the policy refuses with a message.
function overtype(event, view) {
  const { from, to } = view.state.selection.main;
  const lines = view.state.doc.lineAt(from).number !== view.state.doc.lineAt(to).number;
  if (event.inputType !== "insertText" || !event.data || view.composing || !lines) return false;
  view.dispatch(view.state.replaceSelection(event.data), { userEvent: "input.type" });
  event.preventDefault();
  return true;
}

function edit(area) {
  const form = area.form;
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
        lineNumbers(), highlightSpecialChars(), history(), drawSelection(), bracketMatching(),
        closeBrackets(),
        keymap.of([
          ...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap,
          ...lintKeymap,
        ]),
        lintGutter(),
        StreamLanguage.define(sparql),
        syntaxHighlighting(colours),
        theme,
        EditorView.lineWrapping,
        EditorView.contentAttributes.of({
          tabindex: "0", // checkers do not know that what can be edited takes the focus
          "aria-label": form.querySelector("label[for=query]").textContent,
          "aria-description": document.getElementById("query-keys").textContent,
        }),
        autocompletion({ override: [completing(area.dataset.words)] }),
        EditorView.domEventHandlers({ beforeinput: overtype }),
        EditorView.updateListener.of((u) => {
          if (u.docChanged) area.value = u.state.doc.toString();
        }),
      ],
    }),
  });
  area.hidden = true;
  area.required = false; // a hidden field cannot be shown as missing
  document.getElementById("query-keys").hidden = false;
  form.querySelector("label[for=query]").addEventListener("click", () => view.focus());
  for (const link of document.querySelectorAll('a[href="#query"]')) {
    link.addEventListener("click", (event) => (event.preventDefault(), view.focus()));
  }
  point(view, area);
  return view;
}

// The place of a fault: underlined from there to the end of the word, and where the cursor is.
function point(view, area) {
  const line = Number(area.dataset.line);
  if (!line || line > view.state.doc.lines) return;
  const held = view.state.doc.line(line);
  // The parser counts characters, the editor UTF-16 units.
  const before = [...held.text].slice(0, Number(area.dataset.column || 1) - 1).join("").length;
  const from = Math.min(held.from + before, held.to);
  const word = /^\S+/.exec(held.text.slice(before));
  const to = Math.min(held.to, from + (word ? word[0].length : 1));
  const message = area.dataset.fault;
  view.dispatch(setDiagnostics(view.state, [{ from, to, severity: "error", message }]));
  view.dispatch({ selection: { anchor: from }, scrollIntoView: true });
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

function recall(box, form, view) {
  const list = box.querySelector("ul");
  const show = () => {
    const texts = remembered();
    box.hidden = texts.length === 0;
    list.replaceChildren(...texts.map((text) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "past";
      const code = text.split("\n").filter((l) => !/^\s*(PREFIX\b|#|$)/i.test(l)).join(" ");
      button.textContent = (code || text).slice(0, 90);
      button.addEventListener("click", () => {
        view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
        view.focus();
      });
      item.append(button);
      return item;
    }));
  };
  box.querySelector("button.clear").addEventListener("click", () => {
    try { localStorage.removeItem(KEY); } catch { /* as above */ }
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

// ---- IRIs by name

function suggesting(input) {
  const list = document.createElement("datalist");
  list.id = `${input.id}-names`;
  input.after(list);
  input.setAttribute("list", list.id);
  let waiting;
  input.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
      const asked = input.value.trim();
      if (asked.length < 2 || asked.includes("://")) return;
      const answer = await fetch(`${input.dataset.suggest}${encodeURIComponent(asked)}`);
      if (!answer.ok || input.value.trim() !== asked) return;
      const { suggestions } = await answer.json();
      list.replaceChildren(...suggestions.filter((each) => each.iri).map((each) => {
        const option = document.createElement("option");
        option.value = each.iri;
        option.label = each.text;
        option.textContent = each.text;
        return option;
      }));
    }, 200);
  });
}

const area = document.getElementById("query");
if (area) {
  const view = edit(area);
  const box = document.getElementById("past");
  if (box) recall(box, area.form, view);
}
document.querySelectorAll("input[data-suggest]").forEach(suggesting);
