import { createElement, Fragment } from 'react'
import { expect, test } from 'vitest'
import { textOf } from './textOf'

const Named = ({ children }: { children: string }) => children

test.each([
  ['Inbox', 'Inbox'],
  [createElement(Named, null, 'restart\u202e of shop'), 'restart⟨U+202E⟩ of shop'],
  [createElement(Fragment, null, 'Approve ', createElement('b', null, 'it'), ' ', 2), 'Approve it 2'],
  [[null, false, undefined], ''],
])('a title says its text', (node, expected) => {
  expect(textOf(node)).toBe(expected)
})
