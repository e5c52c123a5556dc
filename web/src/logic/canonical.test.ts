import { expect, test } from 'vitest'
import { canonical, logged, NotCanonical } from './canonical'

test('keys are in the order of their UTF-16 units (RFC 8785, 3.2.3)', () => {
  const value = { '\ufb33': 1, '\u{1f600}': 2, '\u20ac': 3, 1: 4, '\r': 5 }
  expect(canonical(value)).toBe('{"\\r":5,"1":4,"\u20ac":3,"\u{1f600}":2,"\ufb33":1}')
})

test.each([
  [null, 'null'], [true, 'true'], [0, '0'], [-7, '-7'], [2 ** 53 - 1, '9007199254740991'], ['', '""'],
  ['"\\/\b\f\n\r\t\u0001\u001f\u007f', '"\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\u007f"'],
  ['\u2028\u20ac', '"\u2028\u20ac"'],
  [[3, [], {}], '[3,[],{}]'],
  [{ b: { d: 1, c: 2 }, a: [] }, '{"a":[],"b":{"c":2,"d":1}}'],
  [JSON.parse('{"__proto__":1,"a":2}'), '{"__proto__":1,"a":2}'],
])('%j', (value, text) => {
  expect(canonical(value)).toBe(text)
})

test.each([
  [1.5, ''], [2 ** 53, ''], [NaN, ''], [-0, ''], [{ a: [1, 2.5] }, '/a/1'], [{ a: undefined }, '/a'], ['\ud800', ''],
])('%j has no canonical form', (value, path) => {
  const found = (() => {
    try {
      return canonical(value)
    } catch (error) {
      return error
    }
  })()
  expect(found).toBeInstanceOf(NotCanonical)
  expect((found as NotCanonical).path).toBe(path)
})

const event = {
  v: 1, event_id: 'evt_1', actor: { id: 'act_1', type: 'user', display_name: 'Ada' }, ip_address: '192.0.2.1',
  user_agent: 'curl', action: 'intent.created', context: {},
}

test('of an event with what is personal beside it, just that is taken away', () => {
  const { text, beside } = logged({ ...event, personal: 'abcd' })
  expect(beside).toEqual(['actor.display_name', 'ip_address', 'user_agent'])
  expect(text).toBe(
    '{"action":"intent.created","actor":{"id":"act_1","type":"user"},"context":{},"event_id":"evt_1","personal":"abcd","v":1}',
  )
})

test('once the person is erased there is nothing to take away, and the bytes are the same', () => {
  const { ip_address: _, user_agent: __, ...rest } = { ...event, personal: 'x' }
  const erased = { ...rest, actor: { id: 'act_1', type: 'user' } }
  expect(logged(erased)).toEqual({ text: logged({ ...event, personal: 'x' }).text, beside: [] })
})

test('of an event of a service everything was signed', () => {
  const { text, beside } = logged(event)
  expect(beside).toEqual([])
  expect(text).toContain('"display_name":"Ada"')
  expect(text).toContain('"ip_address"')
})

test('bytes that were no JSON are themselves', () => {
  expect(logged('not json').text).toBe('not json')
  expect(() => logged(7)).toThrow(NotCanonical)
})
