import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language'
import { yaml } from '@codemirror/lang-yaml'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { Compartment, EditorState } from '@codemirror/state'
import {
  Decoration, EditorView, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, keymap, lineNumbers,
  MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate,
} from '@codemirror/view'
import { tagHighlighter, tags } from '@lezer/highlight'
import { useComputedColorScheme } from '@mantine/core'
import { useEffect, useRef } from 'react'
import { stretchOf, type LintProblem } from '../../logic/lintPlace'
import classes from './editor.module.css'

/** A place to go to; another object is another wish, also to the same place. */
export interface GoTo {
  line: number
  column: number
}

export interface YamlFieldProps {
  value: string
  onChange: (text: string) => void
  problems: LintProblem[]
  label: string
  /** The id of what says how to leave it. */
  describedBy: string
  readOnly: boolean
  goTo: GoTo | undefined
}

const name = (of: string | undefined) => of ?? ''

// Colours are classes of ours, so that they follow light and dark by themselves.
const highlighter = tagHighlighter([
  { tag: tags.definition(tags.propertyName), class: name(classes.key) },
  { tag: tags.string, class: name(classes.string) },
  { tag: tags.special(tags.string), class: name(classes.mark) },
  { tag: tags.content, class: name(classes.string) },
  { tag: [tags.lineComment, tags.meta], class: name(classes.comment) },
  { tag: [tags.labelName, tags.typeName, tags.keyword], class: name(classes.mark) },
  { tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace], class: name(classes.sign) },
])

const placeholder = Decoration.mark({ class: name(classes.placeholder) })
const placeholders = new MatchDecorator({ regexp: /\{\{.*?\}\}/g, decoration: placeholder })

/** Marks `{{ … }}`: what is filled in is what to look at. */
const shownPlaceholders = ViewPlugin.fromClass(
  class {
    decorations: DecorationSet

    constructor(view: EditorView) {
      this.decorations = placeholders.createDeco(view)
    }

    update(update: ViewUpdate) {
      this.decorations = placeholders.updateDeco(update, this.decorations)
    }
  },
  { decorations: (plugin) => plugin.decorations },
)

/** The nonce the page's policy asks of styles made by scripts. */
const nonce = () => document.querySelector<HTMLMetaElement>('meta[property="csp-nonce"]')?.nonce ?? ''

const scheme = new Compartment()

/** An editor of YAML, with what is wrong marked in place. Escape, then Tab leaves it. */
export function YamlField({ value, onChange, problems, label, describedBy, readOnly, goTo }: YamlFieldProps) {
  const host = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView>(undefined)
  const latest = useRef({ value, onChange })
  const dark = useComputedColorScheme('light') === 'dark'
  useEffect(() => {
    latest.current = { value, onChange }
  })

  useEffect(() => {
    if (!host.current) return
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: latest.current.value,
        extensions: [
          EditorView.cspNonce.of(nonce()),
          scheme.of([]),
          lintGutter(),
          lineNumbers(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSpecialChars(),
          bracketMatching(),
          indentOnInput(),
          indentUnit.of('  '),
          EditorState.tabSize.of(2),
          history(),
          yaml(),
          syntaxHighlighting(highlighter),
          shownPlaceholders,
          keymap.of([...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorState.readOnly.of(readOnly),
          EditorView.contentAttributes.of({
            'aria-label': label, 'aria-describedby': describedBy, tabindex: '0',
            spellcheck: 'false', autocapitalize: 'off',
          }),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) latest.current.onChange(update.state.doc.toString())
          }),
        ],
      }),
    })
    view.current = made
    return () => {
      view.current = undefined
      made.destroy()
    }
  }, [label, describedBy, readOnly])

  useEffect(() => {
    view.current?.dispatch({ effects: scheme.reconfigure(EditorView.darkTheme.of(dark)) })
  }, [dark, label, describedBy, readOnly])

  // What is set from outside: another version, what was discarded.
  useEffect(() => {
    const shown = view.current?.state.doc
    if (!shown || shown.toString() === value) return
    view.current?.dispatch({ changes: { from: 0, to: shown.length, insert: value } })
  }, [value])

  useEffect(() => {
    const state = view.current?.state
    if (!state) return
    const text = state.doc.toString()
    const marks = problems.map((problem) => {
      const { from, to } = stretchOf(text, problem)
      const severity = problem.weight === 'error' ? ('error' as const) : ('warning' as const)
      return { from, to, severity, message: problem.hint ? `${problem.message}\n${problem.hint}` : problem.message }
    })
    view.current?.dispatch(setDiagnostics(state, marks.sort((a, b) => a.from - b.from)))
  }, [problems, label, describedBy, readOnly])

  useEffect(() => {
    const shown = view.current
    if (!shown || !goTo) return
    const line = shown.state.doc.line(Math.max(1, Math.min(goTo.line, shown.state.doc.lines)))
    const before = [...line.text].slice(0, goTo.column - 1).join('').length
    shown.dispatch({ selection: { anchor: line.from + before }, scrollIntoView: true })
    shown.focus()
  }, [goTo])

  return <div ref={host} className={classes.field} />
}
