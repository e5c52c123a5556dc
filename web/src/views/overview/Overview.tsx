import { Button, SegmentedControl, Stack } from '@mantine/core'
import { IconArrowsMaximize } from '@tabler/icons-react'
import { useRef } from 'react'
import { useSearch } from '../../app/search'
import { PERIODS, periodOf } from '../../logic/overview'
import { Page } from '../../parts/Page'
import { Changes } from './Changes'
import { Drift, DriftMap } from './Drift'
import { Findings, Resolving } from './Findings'
import { Open } from './Open'
import { Waits } from './Waits'
import classes from './Overview.module.css'

/** Takes the whole screen, or gives it back. */
function fill(wall: HTMLElement) {
  void (document.fullscreenElement ? document.exitFullscreen() : wall.requestFullscreen())
}

/** How things stand and went: made to be read from across a room, and to hang there for days. */
export function Overview() {
  const [search, set] = useSearch()
  const period = periodOf(search.days)
  const wall = useRef<HTMLDivElement>(null)
  return (
    <div ref={wall} className={classes.wall}>
      <Page
        title="Overview"
        about="How things stand, and how they went."
        actions={
          <>
            <SegmentedControl
              aria-label="Period" value={String(period)} onChange={(days) => set({ days })}
              data={PERIODS.map((days) => ({ value: String(days), label: `${days} days` }))}
            />
            <Button
              variant="default" leftSection={<IconArrowsMaximize size={16} aria-hidden />} visibleFrom="sm"
              onClick={() => wall.current && fill(wall.current)}
            >
              Full screen
            </Button>
          </>
        }
      >
        <Open />
        <Waits />
        <div className={classes.halves}>
          <Stack gap="md">
            <Findings period={period} />
            <Resolving period={period} />
          </Stack>
          <Stack gap="md">
            <Changes period={period} />
            <Drift period={period} />
          </Stack>
        </div>
        <DriftMap period={period} />
      </Page>
    </div>
  )
}
