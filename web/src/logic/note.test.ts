import { expect, test } from 'vitest'
import { hex } from './bytes'
import { covers, decimal, parseCheckpoint, parseKey, parseNote, parsePolicy, signed } from './note'

// Published with Go's checksum database, made by somebody else's code.
const KEY = 'sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8'

// The example of the text of C2SP's cosignatures.
const NOTE = [
  'example.com/behind-the-sofa', '20852163', 'CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=', '',
  '\u2014 example.com/behind-the-sofa ' +
    'Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=',
  '\u2014 witness.example.com/w1 ' +
    'jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==',
  '',
].join('\n')

test('a key is read when its id is its own', async () => {
  const key = await parseKey(KEY)
  expect(key).toMatchObject({ name: 'sum.golang.org', id: '033de0ae', text: KEY })
  expect(key?.key.length).toBe(32)
})

test.each([
  '', 'x', KEY.slice(1), KEY.replace('033de0ae', '033de0af'), KEY.replace('Ac4z', 'Bc4z'), KEY.slice(0, -1),
  KEY.toUpperCase(),
  KEY.replace('sum.golang.org', 'sum golang'),
])('%j is no key', async (text) => {
  expect(await parseKey(text)).toBeUndefined()
})

test('a note has its text and its lines', () => {
  const note = parseNote(NOTE)
  if (typeof note === 'string') throw new Error(note)
  expect(note.text.split('\n')).toHaveLength(4)
  expect(note.signatures.map(({ name, id, bytes }) => [name, id, bytes.length])).toEqual([
    ['example.com/behind-the-sofa', '033de0ae', 64], ['witness.example.com/w1', '8d66cf3f', 72],
  ])
  const checkpoint = parseCheckpoint(note.text)
  expect(checkpoint).toMatchObject({ origin: 'example.com/behind-the-sofa', size: 20_852_163 })
  expect(hex(checkpoint?.root ?? new Uint8Array())).toMatch(/^0ac5186a/)
})

test.each([
  ['no signatures', NOTE.slice(0, NOTE.indexOf('\n\n') + 1)],
  ['no last line break', NOTE.slice(0, -1)],
  ['an empty line at the end', `${NOTE}\n`],
  ['another line', `${NOTE}x\n`],
  ['another dash', NOTE.replaceAll('\u2014', '-')],
  ['a control character', NOTE.replace('behind', 'be\u0007ind')],
  ['carriage returns', NOTE.replaceAll('\n', '\r\n')],
  ['too much', 'x'.repeat(200_000)],
])('a note with %s is refused', (_, text) => {
  expect(typeof parseNote(text)).toBe('string')
})

test.each([
  'log\n5\n', 'log\n05\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
  '\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n',
  'log\n5\nCsUYapGG\n', 'log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nmore\n',
  'log\n5\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=',
])('%j is no checkpoint', (text) => {
  expect(parseCheckpoint(text)).toBeUndefined()
})

test('keys are read a line each, with the sizes they may sign', async () => {
  const { trusted, wrong } = await parsePolicy(
    `# mine\n${KEY} 0 100\n\n${KEY} 100 -\n${KEY}\nnonsense 0 -\n${KEY} 1\n${KEY} 0 -1\n`,
  )
  expect(trusted.map(({ from, to }) => [from, to])).toEqual([[0, 100], [100, undefined], [0, undefined]])
  expect(wrong).toEqual([6, 7, 8])
  const [old, now] = trusted
  expect(old && [covers(old, 100), covers(old, 101)]).toEqual([true, false])
  expect(now && [covers(now, 99), covers(now, 1_000)]).toEqual([false, true])
})

test.each([
  ['0', 0], ['10', 10], ['', undefined], ['01', undefined], ['-1', undefined], ['1e3', undefined],
  ['9007199254740993', undefined],
])(
  '%j is the number %j', (text, number) => {
    expect(decimal(text)).toBe(number)
  },
)

test('a signature of another length is none', async () => {
  const key = await parseKey(KEY)
  if (!key) throw new Error('the key')
  expect(await signed(key, 'text', new Uint8Array(63))).toBe(false)
  expect(await signed(key, 'text', new Uint8Array(64))).toBe(false)
})
