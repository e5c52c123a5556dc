import { expect, test } from 'vitest'
import { told } from './told'

const fault = (path: string) => ({ path, message: 'is wrong' })

test.each([
  [{ title: 'No', detail: '', errors: [] }, ['No']],
  [{ title: 'No', detail: 'not so', errors: [] }, ['not so']],
  [{ title: 'No', detail: 'not so', errors: [fault('/a')] }, []],
  [{ title: 'No', detail: 'not so', errors: [fault('/a'), fault('/b')] }, ['not so', '/b is wrong']],
  [{ title: 'No', detail: '', errors: [fault('')] }, ['No', ' is wrong']],
])('%o', (problem, expected) => {
  expect(told(problem, ['/a'])).toEqual(expected)
})
