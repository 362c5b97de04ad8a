@echo off
rem Installs or upgrades the survey program from this stick, without a network and without administrator rights.
chcp 65001 >nul
setlocal
for %%v in (3.13 3.12 3.11) do (
  py -%%v -c "import sys, venv, ensurepip; sys.exit(sys.maxsize == 2147483647)" >nul 2>nul && (
    py -%%v "%~dp0files\install.py"
    goto done
  )
)
python -c "import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" >nul 2>nul && (
  python "%~dp0files\install.py"
  goto done
)
type "%~dp0files\no-python.txt"
pause
exit /b 1
:done
set code=%errorlevel%
pause
exit /b %code%
