import { expect, test } from 'vitest'
import { aligned, marked, ofTheAlert, origins, quote, reached, unquote, type Source } from './fromOutside'
import type { Script } from './planDocument'

const source: Source = {
  variables: {
    SERVICE_NAME: '{{ alert.labels.service }}',
    HOST: '{{ server.host }}',
    WHERE: '{{ HOST }}:{{ alert.instance }}',
    FIXED: 'x',
  },
  given: { LINES: '7; rm -rf /' },
}

test.each(['plain', "it's", "''", 'a\nb', ''])('%j survives quoting', (text) => {
  expect(unquote(quote(text))).toBe(text)
})

test.each([
  ['{{ SERVICE_NAME }}', ['the alert’s label service']],
  ['{{ HOST }} {{ server.name }} {{ runbook.name }}', []],
  ['{{ LINES | int }}', ['LINES, given with the request']],
  ['{{ env.SERVICE_NAME }} {{ env["FIXED"] }}', ['the alert’s label service']],
  ['{{ alert.annotations["run book"] }}', ['the alert’s annotation run book']],
  ['{{ alert.severity_raw }}', ['the alert’s severity raw']],
  ['{{ alert.labels[HOST] }}', ['the alert’s labels']],
  ['{{ steps.look.stdout }}', ['what look prints on the target']],
  ['{{ unheard }}', ['unheard']],
])('what comes from outside in %s', (template, expected) => {
  expect(origins(template, source)).toEqual(expected)
})

test('a variable that is made of others brings what those bring', () => {
  expect(origins('{{ WHERE }}', source)).toEqual(['the alert’s instance'])
})

test('variables that name each other do not go round for ever', () => {
  const round: Source = { variables: { A: '{{ B }}', B: '{{ A }}' }, given: {} }
  expect(origins('{{ A }}', round)).toEqual([])
})

test('a script is laid beside its template, and each word says where it comes from', () => {
  const variables = { SERVICE_NAME: '{{ alert.labels.service }}', FIXED: 'x' }
  const script: Script = [
    { text: "export FIXED='x'\nexport SERVICE_NAME='shop'\nsystemctl restart -- 'shop' && echo 'x' 'shop'" },
  ]
  const template = "systemctl restart -- {{ SERVICE_NAME }} && echo {{ FIXED }} 'shop'"
  const found = aligned(script, template, { variables, given: {} })
  expect(found?.map((one) => one.text).join('')).toBe(script[0]?.text)
  // The runbook's own 'shop' at the end is no text from outside.
  expect(found?.filter((one) => one.from).map((one) => one.text)).toEqual(["'shop'", "'shop'"])
  expect(found?.at(-1)).toEqual({ text: " 'shop'" })
})

test('a value full of quotes and shell is one word, and is marked whole', () => {
  const evil = "'; rm -rf / #'\n$(x)"
  const script: Script = [{ text: `echo ${quote(evil)} end` }]
  const found = aligned(script, 'echo {{ alert.labels.x }} end', { variables: {}, given: {} })
  expect(found).toEqual([{ text: 'echo ' }, { text: quote(evil), from: ['the alert’s label x'] }, { text: ' end' }])
  expect(reached([found ?? []])).toEqual([{ value: evil, from: ['the alert’s label x'] }])
})

test('late values are slots; those of a target are from outside', () => {
  const slot = { name: 'steps.look.stdout', pattern: '.*', tainted: true }
  const id = { name: 'execution.id', pattern: '.*', tainted: false }
  const script: Script = [{ text: 'a ' }, { slot }, { text: ' ' }, { slot: id }]
  const found = aligned(script, 'a {{ steps.look.stdout }} {{ execution.id }}', { variables: {}, given: {} })
  expect(found?.map((one) => [one.text, one.from?.length ?? 0])).toEqual([
    ['a ', 0], ['<steps.look.stdout>', 1], [' ', 0], ['<execution.id>', 0],
  ])
})

test.each([
  ["echo 'a' more", 'echo {{ alert.name }}'],
  ["echo 'a'", 'echo {{ alert.name }} more'],
  ['echo a', 'echo {{ alert.name }}'],
  ["print 'a'", 'echo {{ alert.name }}'],
])('%j is not of the template %j', (text, template) => {
  expect(aligned([{ text }], template, { variables: {}, given: {} })).toBeUndefined()
})

test('an export the command itself makes is the command', () => {
  const source: Source = { variables: { A: 'x' }, given: {} }
  const script: Script = [{ text: "export A='x'\nexport B='y'\nrun" }]
  expect(aligned(script, "export B='y'\nrun", source)?.map((one) => one.text).join('')).toBe(script[0]?.text)
})

test('without a template whole quoted words are compared', () => {
  const values = [{ value: 'shop', from: ['the alert’s label service'] }, { value: '', from: ['nothing'] }]
  const script: Script = [{ text: "restart 'shop' shop 'shopping' ''" }]
  const found = marked(script, values)
  expect(found.map((one) => one.text).join('')).toBe("restart 'shop' shop 'shopping' ''")
  expect(found.filter((one) => one.from).map((one) => one.text)).toEqual(["'shop'"])
})

test('a word is found behind an apostrophe, and one that goes on is another word', () => {
  const values = [{ value: 'shop', from: ['a label'] }, { value: "it's", from: ['another'] }]
  const script: Script = [{ text: `# don't\nrestart 'shop' ${quote("it's")} ${quote("shop's")}'` }]
  expect(marked(script, values).filter((one) => one.from)).toEqual([
    { text: "'shop'", from: ['a label'] }, { text: quote("it's"), from: ['another'] },
  ])
})

test('a label of nothing but quotes is read once', () => {
  const evil = "'".repeat(50_000)
  const values = [{ value: 'shop', from: ['a label'] }, { value: evil, from: ['an evil one'] }]
  const script: Script = [{ text: `x ${quote(`${evil}.`)} ${quote(evil)} 'shop'` }]
  expect(marked(script, values).flatMap((one) => one.from ?? [])).toEqual(['an evil one', 'a label'])
})

test('an alert says its labels, its annotations and its fields', () => {
  const alert = { alert_name: 'Down', instance: 'web-1', labels: { a: '1' }, annotations: { b: '2' }, seen_count: 3 }
  expect(ofTheAlert(alert)).toEqual([
    { value: '1', from: ['the alert’s label a'] },
    { value: '2', from: ['the alert’s annotation b'] },
    { value: 'Down', from: ['the alert’s name'] },
    { value: 'web-1', from: ['the alert’s instance'] },
  ])
})
