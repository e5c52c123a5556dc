import {
  ActionIcon, AppShell, Badge, Burger, Group, Indicator, Menu, NavLink, Text, Tooltip, useMantineColorScheme,
} from '@mantine/core'
import { useDisclosure } from '@mantine/hooks'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, Outlet, useLocation, useNavigate } from '@tanstack/react-router'
import {
  IconActivity, IconKeyboard, IconLogout, IconMoon, IconSearch, IconSun, IconUser, IconWifiOff,
} from '@tabler/icons-react'
import { spotlight } from '@mantine/spotlight'
import { useEffect, useRef } from 'react'
import { api } from '../api/client'
import { get } from '../api/queries'
import { Activity } from './Activity'
import { Help } from './Help'
import { useKeys } from './keys'
import { LiveProvider, useLive } from './live'
import { Palette } from './Palette'
import { places } from './places'
import { useAccount } from './session'

/** What surrounds every view. */
export function Shell() {
  return (
    <LiveProvider>
      <Frame />
    </LiveProvider>
  )
}

function Frame() {
  const [open, { toggle, close }] = useDisclosure(false)
  const [help, helping] = useDisclosure(false)
  const [activity, acting] = useDisclosure(false)
  const { pathname } = useLocation()
  const navigate = useNavigate()
  const going = useRef(0)

  const keys: Record<string, (event: KeyboardEvent) => void | false> = {
    '?': helping.open,
    '/': () => spotlight.open(),
    g: () => void (going.current = Date.now()),
  }
  for (const place of places) {
    // Without a `g` before it the key is the view's.
    keys[place.key] = () => {
      if (Date.now() - going.current > 1_500) return false
      going.current = 0
      void navigate({ to: place.to })
    }
  }
  useKeys(keys)

  useEffect(close, [pathname, close])
  const here = places.find((place) => place.to !== '/' && pathname.startsWith(place.to)) ?? undefined
  useEffect(() => {
    document.title = `${here?.label ?? (pathname === '/' ? 'Inbox' : 'Countersign')} · Countersign`
  }, [here, pathname])

  return (
    <AppShell
      header={{ height: 52 }}
      navbar={{ width: 208, breakpoint: 'md', collapsed: { mobile: !open } }}
      padding={{ base: 'sm', md: 'lg' }}
    >
      <a className="skip" href="#main">Skip to the content</a>
      <AppShell.Header>
        <Group h="100%" px="sm" justify="space-between" wrap="nowrap" gap="xs">
          <Group gap="xs" wrap="nowrap">
            <Burger opened={open} onClick={toggle} hiddenFrom="md" size="sm" aria-label="Navigation" />
            <Text component={Link} to="/" fw={750} size="lg" c="inherit" td="none" visibleFrom="xs">Countersign</Text>
            <Connection />
          </Group>
          <Group gap={4} wrap="nowrap">
            <Bar label="Search and commands (Ctrl K)" icon={<IconSearch size={18} />} onClick={() => spotlight.open()} />
            <Bar label="What happens" icon={<IconActivity size={18} />} onClick={acting.open} />
            <Bar label="Keys (?)" icon={<IconKeyboard size={18} />} onClick={helping.open} />
            <Scheme />
            <Me />
          </Group>
        </Group>
      </AppShell.Header>
      <AppShell.Navbar p="xs" aria-label="Places">
        <Places pathname={pathname} />
      </AppShell.Navbar>
      <AppShell.Main id="main" tabIndex={-1} style={{ outline: 'none' }}>
        <Outlet />
      </AppShell.Main>
      <Palette />
      <Help opened={help} onClose={helping.close} />
      <Activity opened={activity} onClose={acting.close} />
    </AppShell>
  )
}

function Places({ pathname }: { pathname: string }) {
  const waiting = useQuery(get('/api/v1/dashboard')).data?.waiting
  const count = waiting
    ? waiting.approvals + waiting.needs_human + waiting.open_breakers + waiting.rollback_failed
    : 0
  return places.map(({ to, label, icon: Icon }) => {
    const active = to === '/' ? pathname === '/' : pathname.startsWith(to)
    return (
      <NavLink
        key={to}
        component={Link}
        to={to}
        label={label}
        active={active}
        aria-current={active ? 'page' : undefined}
        leftSection={<Icon size={18} aria-hidden />}
        rightSection={to === '/' && count > 0 ? <Badge size="sm" circle={count < 10}>{count}</Badge> : undefined}
      />
    )
  })
}

function Bar({ label, icon, onClick }: { label: string; icon: React.ReactNode; onClick: () => void }) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="lg" onClick={onClick} aria-label={label}>{icon}</ActionIcon>
    </Tooltip>
  )
}

/** Whether what is shown is what is so: nobody should approve by an old picture. */
function Connection() {
  const { connection } = useLive()
  if (connection === 'live') {
    return (
      <Tooltip label="What is shown follows what happens">
        <Indicator inline color="green" size={8} position="middle-center" processing>
          <span role="status" aria-label="Live" style={{ display: 'inline-block', width: 16, height: 16 }} />
        </Indicator>
      </Tooltip>
    )
  }
  const label = connection === 'away' ? 'Not connected: what is shown may be old' : 'Connecting'
  return (
    <Tooltip label={label}>
      <Badge
        role="status" variant="light" color={connection === 'away' ? 'red' : 'gray'} c="var(--mantine-color-text)"
        tt="none" fw={550} leftSection={<IconWifiOff size={12} />}
      >
        {connection === 'away' ? 'Not connected' : 'Connecting'}
      </Badge>
    </Tooltip>
  )
}

function Scheme() {
  const { colorScheme, setColorScheme } = useMantineColorScheme()
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label="Light or dark"><IconSun size={18} /></ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        {(['light', 'dark', 'auto'] as const).map((scheme) => (
          <Menu.Item
            key={scheme}
            leftSection={scheme === 'dark' ? <IconMoon size={16} /> : <IconSun size={16} />}
            onClick={() => setColorScheme(scheme)}
            fw={colorScheme === scheme ? 700 : undefined}
          >
            {scheme === 'auto' ? 'As the system' : scheme === 'light' ? 'Light' : 'Dark'}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}

function Me() {
  const account = useAccount()
  const queries = useQueryClient()
  const leave = async () => {
    await api.POST('/api/v1/logout', {})
    queries.clear()
    window.location.assign('/')
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Account of ${account.display_name}`}>
          <IconUser size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{account.display_name}: {account.roles.join(', ') || 'no role'}</Menu.Label>
        <Menu.Item component={Link} to="/settings" search={{ tab: 'account' } as never} leftSection={<IconUser size={16} />}>
          Password, second factor, keys
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} />} onClick={() => void leave()}>Sign out</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  )
}
