import type { FullResult, Reporter, TestCase, TestResult } from '@playwright/test/reporter'
import { writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { FIGURE, type Figure } from './figures'

const HEAD = `# Measurements of the console

Written by \`make bench-console\`: the tests of \`web/e2e\` that measure, against the release build, with browser,
server and database on one machine.`

/** Writes what the tests told by `tell` as a page, if all of them passed. */
export default class Report implements Reporter {
  private readonly figures: Figure[] = []

  constructor(private readonly options: { file: string }) {}

  onTestEnd(_: TestCase, result: TestResult): void {
    for (const { type, description } of result.annotations) {
      if (type === FIGURE && description) this.figures.push(JSON.parse(description) as Figure)
    }
  }

  onEnd({ status }: FullResult): void {
    const [first] = this.figures
    if (status !== 'passed' || !first) return
    const rows = this.figures.map(({ what, measured, how, goal }) => {
      const reached = goal ? `${goal.says}: ${goal.met ? 'met' : '**not met**'}` : ''
      return `| ${what} | ${measured} | ${reached} | ${how} |`
    })
    const machine = `${cpus().length} cores (${cpus()[0]?.model ?? 'of a kind not told'}), Chromium ${first.browser}.`
    const text = [HEAD, '', machine, '', '| what | measured | goal | how |', '|---|---|---|---|', ...rows, '']
    writeFileSync(this.options.file, text.join('\n'))
  }
}
